"""Every figure of the training notebooks. Each function draws one figure and returns it; units stand on the axes."""

import numpy as np

from ..images import grid
from ..plain_figures import short, subplots
from ..results.curves import LOSSES


def class_grid(images, labels, class_names, columns=10, title=""):
    """A row per class: its first `columns` images. images uint8 [N, H, W, C], labels [N]."""
    labels = np.asarray(labels)
    shown = [label for label in range(len(class_names)) if (labels == label).any()]
    rows = [images[np.flatnonzero(labels == label)[:columns]] for label in shown]
    rows = [np.concatenate([row, np.full((columns - len(row), *row.shape[1:]), 255, "uint8")]) for row in rows]
    side = images.shape[1] + 1
    figure, axes = subplots(figsize=(0.62 * columns + 1.2, 0.62 * len(rows) + 0.5), layout="constrained")
    picture_on(axes, grid(np.concatenate(rows), columns, background=255), title)
    axes.axis("on")
    axes.set_yticks(np.arange(len(rows)) * side + side / 2, [short(class_names[label]) for label in shown])
    axes.set(xticks=[], ylabel="class")
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)
    return figure


def sheet(named, title="", columns=10):
    """Small pictures, each under its name: {name: uint8 [H, W, C]}."""
    rows = -(-len(named) // columns)
    figure, axes = subplots(rows, columns, figsize=(1.15 * columns, 1.32 * rows + 0.4), squeeze=False)
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.55 / (1.32 * rows + 0.4), wspace=0.08, hspace=0.18)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (name, picture) in zip(axes.flat, named.items(), strict=False):
        picture_on(axis, picture)
        axis.set_title(short(str(name).replace("_", " "), 18), fontsize=8, pad=2)
    figure.suptitle(title)
    return figure


def pictures(columns, suptitle="", height=3.4, rows=()):
    """Pictures of one size side by side: {title: uint8 picture [H, W, C]}; height in inches, less where many are wide.

    rows: names of the rows of images in each picture, at the left of the first. A page shows some 15 inches at most:
    of a wider figure it would shrink the titles, too.
    """
    pixels_high, pixels_wide, _ = next(iter(columns.values())).shape
    width = min(15, height * pixels_wide / pixels_high * len(columns))
    height = width / len(columns) * pixels_high / pixels_wide
    figure, axes = subplots(1, len(columns), figsize=(width, height + 0.7), layout="constrained")
    for axis, (title, picture) in zip(np.atleast_1d(axes), columns.items(), strict=True):
        picture_on(axis, picture, title)
    if rows:
        name_rows(figure.axes[0], rows, pixels_high / len(rows))
    figure.suptitle(suptitle)
    return figure


def name_rows(axis, names, pixels):
    """Names at the left of a picture's rows of images, each so many pixels high."""
    axis.axis("on")
    axis.set(xticks=[])
    axis.set_yticks((np.arange(len(names)) + 0.5) * pixels - 0.5, [short(name, 32) for name in names])
    axis.tick_params(left=False)
    axis.spines[:].set_visible(False)


def evolution_strip(run, epochs=None):
    """The run's fixed classes and seeds at several epochs, side by side: the still form of the slider."""
    drawn = run.evolution
    epochs = [epoch for epoch in epochs or _spread(list(drawn), 5) if epoch in drawn]
    half = {f"epoch {epoch}": drawn[epoch][:, : drawn[epoch].shape[1] // 2] for epoch in epochs}
    return pictures(half, f"{run.title}: a row is a class, a column is a seed", height=5.0)


def iteration_losses(losses, window=200, title="", names=("d_loss", "g_loss")):
    """The losses [steps, 2] at each iteration (thin) and their moving mean over `window` iterations (thick)."""
    figure, axes = subplots(figsize=(10, 3.6), layout="constrained")
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


def _spread(values, count):
    """`count` of the values, first and last included, evenly spread."""
    return [values[i] for i in np.unique(np.linspace(0, len(values) - 1, count).astype(int))]


def picture_on(axes, picture, title=""):
    """A uint8 picture [H, W, C] on existing axes, each pixel as a square, without ticks."""
    pixels = picture[..., 0] if picture.shape[-1] == 1 else picture
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")
