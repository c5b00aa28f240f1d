"""Losses and scores of each epoch as a figure: for the card of a run, and for the notebooks.

This module stands in `results`, since the card shows the figure; all other figures are in `views`.
"""

import matplotlib.pyplot as plt

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
