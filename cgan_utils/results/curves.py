"""Losses and scores of each epoch as a figure: for the card of a run, and for the notebooks.

This module stands in `results`, since the card shows the figure; all other figures are in `views`.
"""

import math

import matplotlib.pyplot as plt

from ..plain_figures import PlainFigure

LOSSES = {  # by their name in the history; colours that are safe for colour-blind eyes
    "d_loss": ("discriminator", "#0072b2"),
    "g_loss": ("generator", "#d55e00"),
    "reconstruction": ("reconstruction", "#009e73"),
    "kl": ("divergence of the code", "#cc79a7"),
    "squared_error": ("squared error of a pixel", "#009e73"),
}

SCORES = {"accuracy": "#000000", "precision": "#0072b2", "recall": "#d55e00", "f1": "#009e73"}  # of a discriminator
GOAL = 0.5  # of these: it can't tell the drawings from the real images

PANELS = {  # by column of the history: title, axis, colour
    **{name: (label, "loss (nats)", colour) for name, (label, colour) in LOSSES.items()},
    "squared_error": ("squared error of a pixel", "of values in [-1, 1]", "#009e73"),
    "class_accuracy": ("class accuracy", "share of the drawings", "#009e73"),
    "frechet": ("Fréchet distance", "from the real images", "#009e73"),
    **{name: (name, "", colour) for name, colour in SCORES.items()},
}


def epoch_curves(history, title=""):
    """Losses and scores of each epoch, a panel each; solid: training, dashed: test images.

    Where the drawings were scored (`scoring.Score`), panels beside the losses show that: compare them with the losses.
    """
    found = [name for name in PANELS if name in history]
    rows = [[name for name in found if name not in SCORES], [name for name in found if name in SCORES]]
    rows = [row for row in rows if row]
    columns = math.lcm(*map(len, rows))
    mosaic = [[name for name in row for _ in range(columns // len(row))] for row in rows]
    figure, axes = plt.subplot_mosaic(
        mosaic, FigureClass=PlainFigure, figsize=(11, 2.5 * len(rows) + 0.9), layout="constrained"
    )
    for name, axis in axes.items():
        _panel(axis, history, name)
    if "d_loss" in axes:
        axes["g_loss"].sharey(axes["d_loss"])
        axes["g_loss"].autoscale(axis="y")
    if "accuracy" in axes:
        axes["accuracy"].set_ylabel(f"discriminator's score\n({GOAL}: it only guesses)")
    lines = axes[rows[0][0]].lines
    figure.legend(lines, ["training", "test images"], loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title)
    return figure


def _panel(axis, history, name):
    """One column of the history, and what the test images gave, if they were asked."""
    title, unit, colour = PANELS[name]
    few = {"marker": "o", "markersize": 4} if len(history) <= 10 else {}  # a line through one point shows nothing
    look = {"color": colour, **few}
    axis.plot(history["epoch"], history[name], **look)
    if f"val_{name}" in history:
        axis.plot(history["epoch"], history[f"val_{name}"], linestyle="--", markerfacecolor="white", **look)
    axis.set(title=title, xlabel="epoch", ylabel=unit)
    if name in SCORES:
        axis.axhline(GOAL, color="gray", linewidth=0.8)
    if name in SCORES or name == "class_accuracy":
        axis.set_ylim(0, 1.02)
    elif name == "frechet":
        axis.set_ylim(0, None)
    axis.grid(alpha=0.3)
    axis.xaxis.get_major_locator().set_params(integer=True)
    if few:
        axis.set_xticks(history["epoch"])  # beside a single one the locator would put fractions
