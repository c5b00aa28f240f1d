"""What a notebook shows beside figures: the package's own source, tables of facts, a training as it happens."""

import inspect
import os
import tempfile
import textwrap
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Code, Markdown, display

from ..backend import keras
from ..errors import CganError, unknown
from ..images import grid
from ..models.game import Game
from ..models.keras_code import keras_code
from ..plain_figures import subplots
from ..results.curves import LOSSES
from ..training.train import train
from .figures import picture_on

VERDICTS = {True: "confirmed", False: "refuted", None: "undecided"}


def show_source(*objects):
    """The source of functions, methods or classes as it runs, coloured: what is read cannot drift from what is used."""
    display(Code("\n\n".join(textwrap.dedent(inspect.getsource(item)).strip() for item in objects), language="python"))


def show_network(network):
    """The plain Keras code that builds this network, written from its layers; see `keras_code`."""
    display(Code(keras_code(network), language="python"))


def facts(**rows):
    """A two-column table of names and values."""
    return pd.DataFrame(
        {"value": [str(value) for value in rows.values()]}, index=[name.replace("_", " ") for name in rows]
    )


def trained(run):
    """How a run was trained, beside what was published, as a table of facts."""
    training = run.record["training"]
    return facts(
        **{name: training[name] for name in ("epochs", "images_seen", "machine", "precision")},
        seconds_per_epoch=f"{training['seconds_per_epoch']:.0f}",
        published_epochs=run.experiment.epochs,
        published_seconds_per_epoch=run.experiment.published_seconds,
    )


def claims(found):
    """A table of what was claimed and what we find: {claim: (True, False or None, the evidence in words)}."""
    rows = [f"| {claim} | {evidence} | **{VERDICTS[holds]}** |" for claim, (holds, evidence) in found.items()]
    return Markdown("\n".join(["| claim | what we find | |", "|:---|:---|:---|", *rows]))


def watch(settings, data, images=None, epochs=1, labels=None, **options):
    """Train an `Experiment` from random weights, shown by a `LiveView`, and return its `Run`.

    images: how many of the training images to use, by default all; labels: the classes to draw, by default the first
    ten; options: more of those of `training.train`. The run's folder is a temporary one; it lasts as long as the run.
    """
    images = min(images or len(data.x_train), len(data.x_train))
    labels = range(min(10, data.classes)) if labels is None else labels
    view = LiveView(epochs * (images // settings.batch_size), labels)
    folder = tempfile.TemporaryDirectory()
    options |= {"limit_images": images, "epochs": epochs, "verbose": 0, "extra_callbacks": [view]}
    run = train(settings, Path(folder.name) / settings.name, data=data, **options)
    run.temporary = folder  # which removes itself when nothing refers to it
    return run


class LiveView(keras.callbacks.Callback):
    """Shows a training while it runs: a progress bar, the losses, and a row of images every so many iterations.

    iterations: how many there will be; labels: the classes to draw, one column each; rows: how often to draw.
    The rows are spaced so that the beginning, where most happens, is seen closely.
    """

    def __init__(self, iterations, labels, rows=7):
        super().__init__()
        self.iterations, self.labels, self.done = iterations, np.asarray(labels), 0
        spaced = np.geomspace(max(1, iterations // 2 ** (rows - 2)), max(1, iterations), rows - 1)
        self.due = {0, *spaced.round().astype(int).tolist()}
        self.frames, self._shown = {}, 0.0

    def on_train_begin(self, logs=None):
        if not self.frames:
            self._since = time.monotonic()
            self.text, self.figure = display("", display_id=True), display("", display_id=True)
            self._look()

    def on_train_batch_end(self, batch, logs=None):
        before, self.done = self.done, min(self.iterations, self.done + self.model.batch_losses.shape[0])
        if any(before < step <= self.done for step in self.due):  # a call takes several steps on some devices
            self._look()
        if time.monotonic() - self._shown > 0.5 or self.done == self.iterations:
            self._say(logs)

    def _say(self, logs):
        filled = round(30 * self.done / self.iterations)
        seconds = time.monotonic() - self._since
        losses = ", ".join(f"{name} {float(logs[key]):.2f}" for key, name in _LOGS.items() if key in logs)
        line = f"{'█' * filled}{'░' * (30 - filled)} iteration {self.done:,} of {self.iterations:,}, {seconds:.0f} s"
        self.text.update({"text/plain": f"{line}\n{losses}"}, raw=True)
        self._shown = time.monotonic()

    def _look(self):
        self.frames[self.done] = self.model.paint(self.labels, np.arange(len(self.labels)))
        figure = live_figure(self.frames, self.model.column)
        self.figure.update(figure)
        plt.close(figure)


_LOGS = {**{name: label for name, (label, _) in LOSSES.items()}, "accuracy": "accuracy"}


def live_figure(frames, column=Game.column, title="What the generator draws while it learns"):
    """A row per entry of {iteration: uint8 images [N, H, W, C]}, the same noise and classes in each.

    column: what sets its columns apart, in words.
    """
    rows = list(frames)
    images = np.concatenate([frames[row] for row in rows])
    columns, side = len(frames[rows[0]]), images.shape[1] + 1
    figure, axes = subplots(figsize=(0.72 * columns + 1, 0.72 * len(rows) + 0.6), layout="constrained")
    picture_on(axes, grid(images, columns), title)
    axes.axis("on")
    axes.set_yticks(np.arange(len(rows)) * side + side / 2, [f"{row:,}" for row in rows])
    axes.set(xticks=[], ylabel="iteration", xlabel=column)
    return figure


BUDGETS = ("smoke", "demo", "full")


class Budget:
    """`Budget().choose(smoke=320, demo=40_000, full=None)` is the value for the budget in force."""

    def __init__(self, name=None):
        self.name = name or os.environ.get("CGAN_BUDGET", "demo")
        if self.name not in BUDGETS:
            raise CganError(unknown("CGAN_BUDGET", self.name, BUDGETS))

    def choose(self, *, smoke, demo, full):
        return {"smoke": smoke, "demo": demo, "full": full}[self.name]

    @property
    def stand_in(self):
        """For `datasets.load`: only tests may fall back on a stand-in."""
        return "if_missing" if self.name == "smoke" else False
