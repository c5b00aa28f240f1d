"""Every figure of the training notebooks. Each function draws one figure and returns it; units stand on the axes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from .images import grid

LOSSES = {  # by their name in the history; colours that are safe for colour-blind eyes
    "d_loss": ("discriminator", "#0072b2"),
    "g_loss": ("generator", "#d55e00"),
    "reconstruction": ("reconstruction", "#009e73"),
    "kl": ("divergence of the code", "#cc79a7"),
    "squared_error": ("squared error of a pixel", "#009e73"),
}
DRAWINGS = {  # what the evaluator says of a sample, by column of the history: title, axis
    "class_accuracy": ("Drawings of the class that was asked", "share"),
    "frechet": ("Distance from the real images", "Fréchet distance in the evaluator's features"),
}
SCORES = {"accuracy": "#000000", "precision": "#0072b2", "recall": "#d55e00", "f1": "#009e73"}


def class_grid(images, labels, class_names, columns=10, title=""):
    """A row per class: its first `columns` images. images uint8 [N, H, W, C], labels [N]."""
    labels = np.asarray(labels)
    shown = [label for label in range(len(class_names)) if (labels == label).any()]
    rows = [images[np.flatnonzero(labels == label)[:columns]] for label in shown]
    rows = [np.concatenate([row, np.full((columns - len(row), *row.shape[1:]), 255, "uint8")]) for row in rows]
    side = images.shape[1] + 1
    figure, axes = plt.subplots(figsize=(0.62 * columns + 1.2, 0.62 * len(rows) + 0.5), layout="constrained")
    picture_on(axes, grid(np.concatenate(rows), columns, background=255), title)
    axes.axis("on")
    axes.set_yticks(np.arange(len(rows)) * side + side / 2, [class_names[label] for label in shown])
    axes.set(xticks=[], ylabel="class")
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)
    return figure


def sheet(named, title="", columns=10):
    """Small pictures, each under its name: {name: uint8 [H, W, C]}."""
    rows = -(-len(named) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.15 * columns, 1.32 * rows + 0.4), squeeze=False)
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.55 / (1.32 * rows + 0.4), wspace=0.08, hspace=0.18)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (name, picture) in zip(axes.flat, named.items(), strict=False):
        picture_on(axis, picture)
        axis.set_title(str(name).replace("_", " "), fontsize=8, pad=2)
    figure.suptitle(title)
    return figure


def pictures(columns, suptitle="", height=3.4):
    """Pictures of one size side by side: {title: uint8 picture [H, W, C]}; height in inches, less where many are wide.

    A page shows some 15 inches at most: of a wider figure it would shrink the titles, too.
    """
    pixels_high, pixels_wide, _ = next(iter(columns.values())).shape
    width = min(15, height * pixels_wide / pixels_high * len(columns))
    height = width / len(columns) * pixels_high / pixels_wide
    figure, axes = plt.subplots(1, len(columns), figsize=(width, height + 0.7), layout="constrained")
    for axis, (title, picture) in zip(np.atleast_1d(axes), columns.items(), strict=True):
        picture_on(axis, picture, title)
    figure.suptitle(suptitle)
    return figure


def evolution_strip(run, epochs=None):
    """The run's fixed classes and seeds at several epochs, side by side: the still form of the slider."""
    drawn = run.evolution
    epochs = [epoch for epoch in epochs or _spread(list(drawn), 5) if epoch in drawn]
    half = {f"epoch {epoch}": drawn[epoch][:, : drawn[epoch].shape[1] // 2] for epoch in epochs}
    return pictures(half, f"{run.title}: a row is a class, a column is a seed", height=5.0)


def iteration_losses(losses, window=200, title="", names=("d_loss", "g_loss")):
    """The losses [steps, 2] at each iteration (thin) and their moving mean over `window` iterations (thick)."""
    figure, axes = plt.subplots(figsize=(10, 3.6), layout="constrained")
    steps = np.arange(1, len(losses) + 1)
    window = max(1, min(window, len(losses) // 4))
    for column, (player, colour) in zip(np.asarray(losses).T, (LOSSES[name] for name in names), strict=True):
        axes.plot(steps, column, color=colour, alpha=0.15, linewidth=0.4, rasterized=True)
        mean = np.convolve(column, np.ones(window) / window, mode="valid")
        axes.plot(steps[window - 1 :], mean, color=colour, linewidth=1.6, label=f"{player}, mean of {window}")
    low, high = np.percentile(losses, (0.5, 99.5))
    axes.set_ylim(min(0, low * 1.1), high * 1.1)
    axes.set(title=title or "Loss of each iteration", xlabel="iteration", ylabel="loss (nats)")
    axes.legend(loc="upper right")
    axes.grid(alpha=0.3)
    return figure


# Where the legend of a panel stands: its lines go anywhere.
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16)}


def epoch_curves(history, title=""):
    """Losses and scores of each epoch, in two panels; solid: training, dashed: test images.

    Where the drawings were scored (`scoring.Score`), two more panels show that: compare them with the losses.
    """
    scored = [name for name in DRAWINGS if name in history]
    rows = 2 if scored else 1
    figure, axes = plt.subplots(rows, 2, figsize=(11, 4 * rows), layout="constrained")
    axes = axes.flatten()
    for axis in axes[2 + len(scored) :]:
        axis.remove()
    for axis, name in zip(axes[2:], scored, strict=False):
        axis.plot(history["epoch"], history[name], "o-", color="#009e73", markersize=4)
        axis.set(title=DRAWINGS[name][0], xlabel="epoch", ylabel=DRAWINGS[name][1])
        axis.set_ylim(0, 1.02 if name == "class_accuracy" else None)
        axis.grid(alpha=0.3)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes = axes[:2]
    few = {"marker": "o", "markersize": 4} if len(history) <= 10 else {}  # a line through one point shows nothing
    for axis, (lines, settings) in zip(axes, _panels(history), strict=True):
        for name, (label, colour) in lines.items():
            test = {"linestyle": "--", "markerfacecolor": "white", "label": f"{label}, test"}
            axis.plot(history["epoch"], history[name], color=colour, label=f"{label}, training", **few)
            axis.plot(history["epoch"], history[f"val_{name}"], color=colour, **test, **few)
        axis.set(xlabel="epoch", **settings)
        axis.grid(alpha=0.3)
        axis.legend(ncols=len(lines), fontsize=8, frameon=False, columnspacing=1, handlelength=1.8, **BELOW)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if few:
            axis.set_xticks(history["epoch"])  # beside a single one the locator would put fractions
    if "accuracy" in history:
        axes[1].axhline(0.5, color="gray", linewidth=0.8)
    figure.suptitle(title)
    return figure


def _panels(history):
    """What the two panels of `epoch_curves` show: ({column: (label, colour)}, settings of the axes) each."""
    losses = {name: look for name, look in LOSSES.items() if name in history}
    if "accuracy" in history:
        scores = {name: (name, colour) for name, colour in SCORES.items()}
        goal = {"title": "Discriminator's scores (the goal is 0.5)", "ylabel": "score", "ylim": (0, 1.02)}
        return [(losses, {"title": "Losses", "ylabel": "loss (nats)"}), (scores, goal)]
    # The two terms of a bound are too unlike in size for one axis.
    unit = "loss (nats per image)"
    return [({name: look}, {"title": look[0].capitalize(), "ylabel": unit}) for name, look in losses.items()]


def diagram(model, title=""):
    """A network's layers from left to right, one box per layer with weights or a merge, both inputs as own rows.

    Under each box: the shape of what leaves it and its number of parameters. Activations, normalisation and
    reshapes stand inside the box of the layer they follow.
    """
    boxes, rows = _boxes(model)
    columns = 1 + max(column for column, _ in boxes)
    figure, axes = plt.subplots(figsize=(1.5 * columns + 0.3, 1.45 * rows + 0.6), layout="constrained")
    for (column, row), (name, shape, parameters, colour, arrow_from) in boxes.items():
        axes.add_patch(
            FancyBboxPatch((column, -row), 0.8, 0.62, boxstyle="round,pad=0.03", facecolor=colour, edgecolor="#444444")
        )
        axes.text(column + 0.4, -row + 0.31, name, ha="center", va="center", fontsize=8)
        caption = shape + (f"\n{parameters:,} parameters" if parameters else "")
        axes.text(column + 0.4, -row - 0.08, caption, ha="center", va="top", fontsize=7, color="#333333")
        for source_column, source_row in arrow_from:
            start, end = (source_column + 0.84, -source_row + 0.31), (column - 0.04, -row + 0.31)
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "#666666"})
    axes.set(xlim=(-0.1, columns), ylim=(-rows + 0.6, 0.8), title=title)
    axes.axis("off")
    return figure


_COLOURS = {
    "InputLayer": "#f0f0f0",
    "Embedding": "#cfe8d5",
    "Dense": "#cfe8d5",
    "Concatenate": "#fff2cc",
    "Conv2D": "#d4e3f5",
    "Conv2DTranspose": "#f7d9c4",
}


def _boxes(model):
    """{(column, row): (text, shape, parameters, colour, sources)} and the number of rows.

    Layers that have a colour get a box; the others add a line to the box they follow.
    """
    boxes, place = {}, {}
    for layer in model.layers:
        sources = [place[source.name] for source in _sources(layer)]
        kind = type(layer).__name__
        shape = "×".join(str(size) for size in layer.output.shape[1:]) or "1"
        if kind not in _COLOURS:
            place[layer.name] = spot = sources[0]
            text, _, parameters, colour, arrows = boxes[spot]
            boxes[spot] = (f"{text}\n{_line(layer)}", shape, parameters + layer.count_params(), colour, arrows)
            continue
        if sources:
            spot = (1 + max(column for column, _ in sources), min(row for _, row in sources))
        else:
            spot = (0, int(layer.name == "label"))  # the condition comes from below
        boxes[spot] = (_line(layer), shape, layer.count_params(), _COLOURS[kind], sources)
        place[layer.name] = spot
    return boxes, len(model.inputs)


def _line(layer):
    """A layer in a few characters."""
    kind = type(layer).__name__
    short = {"BatchNormalization": "batch norm", "InputLayer": layer.name, "Concatenate": "join"}.get(kind, kind)
    if hasattr(layer, "kernel_size"):
        return f"{kind}\n{layer.kernel_size[0]}×{layer.kernel_size[1]}, stride {layer.strides[0]}"
    return (
        f"dropout {layer.rate:g}" if kind == "Dropout" else layer.activation.__name__ if kind == "Activation" else short
    )


def _sources(layer):
    return [node.operation for node in layer._inbound_nodes[0].parent_nodes]


def _spread(values, count):
    """`count` of the values, first and last included, evenly spread."""
    return [values[i] for i in np.unique(np.linspace(0, len(values) - 1, count).astype(int))]


def picture_on(axes, picture, title=""):
    """A uint8 picture [H, W, C] on existing axes, each pixel as a square, without ticks."""
    pixels = picture[..., 0] if picture.shape[-1] == 1 else picture
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")
