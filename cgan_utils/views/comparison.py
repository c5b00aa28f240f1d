"""Figures that set two generators side by side; each function draws one and returns it.

Colours are safe for colour-blind eyes, and a marker or a line style says the same again.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..errors import CganError
from ..files import AVERAGED, LAST
from ..images import cells, grid
from ..paths import by_name
from ..plain_figures import PlainFigure, in_legend, short, subplots
from ..results.conditioning import class_shares
from .figures import name_rows, picture_on, pictures

# Colour and marker of the models of a figure; black is for real images, and yellow can't be seen on white.
MODELS = (
    *(("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D")),
    *(("#56b4e9", "v"), ("#e69f00", "P"), ("#332288", "X"), ("#661100", "*")),
)
SIDES = (("left", 7), ("right", -7))  # of a point: where its name stands, in turn, so that no two overlap
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16)}  # a legend: the lines of its panel go anywhere
SPAN = 4_000  # images over which a loss is averaged
STYLES = {"--": "accuracy, in training", "-": "real images alone, judged alike"}
COMPARED = (
    ("accuracy", "val_accuracy"),
    ("seen_recall", "val_recall"),
)  # columns of the history, a pair for each style
UNITS = {
    "likeness": "share of images",
    "diversity": "grey levels",
    "coverage": "share of real images",
    "sharpness": "grey levels",
}


def styled(models):
    """((colour, marker), model) of each of some models; raises CganError for more than there are colours."""
    models = list(models)
    if len(models) > len(MODELS):
        raise CganError(f"{len(models)} models are too many for one figure; compare {len(MODELS)} at most.")
    return zip(MODELS[: len(models)], models, strict=True)


def strips(blocks, title="", xlabel=""):
    """Rows of images with their names, in blocks side by side: {block: {row: uint8 images [N, H, W, C]}}."""
    first = next(iter(blocks.values()))
    names = max(1.4, 0.3 + 0.08 * max(len(short(row)) for row in first))
    size = (0.56 * sum(_columns(blocks)) + names, 0.56 * len(first) + 0.9)
    figure = plt.figure(FigureClass=PlainFigure, figsize=size, layout="constrained")
    _strips_on(figure, blocks, xlabel)
    if title:
        figure.suptitle(title)
    return figure


def _strips_on(figure, blocks, xlabel=""):
    """The blocks of `strips`, on a figure or a part of one."""
    widths = _columns(blocks)
    axes = figure.subplots(1, len(blocks), width_ratios=widths, squeeze=False)[0]
    for axis, columns, (block, rows) in zip(axes, widths, blocks.items(), strict=True):
        images = np.concatenate(list(rows.values()))
        side = images.shape[1] + 1
        picture_on(axis, grid(images, columns, background=255), block)
        name_rows(axis, list(rows) if axis is axes[0] else [], side)
        axis.set(xlabel=xlabel)


def _columns(blocks):
    """How many images stand in a row of each block."""
    return [len(next(iter(rows.values()))) for rows in blocks.values()]


def last_and_averaged(run, labels=None, columns=10):
    """What the generator of a run's last step and the averaged one draw of the same noise, side by side.

    labels: the classes, a row each, by default all; columns: how many noise vectors. For a last generator that was too
    large to ship stands what it drew at the end of its training: of the classes and seeds of the evolution.
    """
    rows = np.arange(len(run.class_names)) if labels is None else np.asarray(labels)
    classes, seeds = np.repeat(rows, columns), np.tile(np.arange(columns), len(rows))
    drawn = {}
    for name, file in (("last", LAST), ("averaged", AVERAGED)):
        title = f"{name}: this one draws" if file == run.draws_with else name
        if file in run.weights:
            drawn[title] = grid(run.draw(classes, seeds, file=file), columns)
        elif file == LAST:
            drawn[title] = grid(_last_drawn(run, rows, columns), columns)
    return pictures(drawn, f"{run.title}: a row is a class, a column is a seed", height=0.46 * len(rows))


def _last_drawn(run, rows, columns):
    """Images [rows × columns, H, W, C] of the evolution's last epoch."""
    kept = cells(run.evolution[max(run.evolution)], *run.shape[:2])
    kept = kept.reshape(len(run.shown_classes), -1, *run.shape)
    return np.concatenate([kept[run.shown_classes.index(run.class_names[row]), :columns] for row in rows])


def at_the_same_age(runs):
    """What several runs drew after the same number of epochs: the last one that all of them keep a picture of.

    The fair look at trainings of unequal length. Raises CganError if they draw other classes.
    """
    if len({tuple(run.shown_classes) for run in runs}) > 1:
        raise CganError("These runs draw different classes; compare runs of one data set.")
    kept = {name: run.evolution for name, run in by_name(runs).items()}
    epoch = max(set.intersection(*(set(drawn) for drawn in kept.values())))
    drawn = {name: evolution[epoch] for name, evolution in kept.items()}
    named = runs[0].conditional
    layout = "a column is a seed" if named else "each image is from a seed of its own"
    return pictures(drawn, f"After epoch {epoch}: {layout}", height=6.0, rows=runs[0].shown_classes if named else ())


def training_curves(histories, title=""):
    """How several trainings went, a line each: {name: history}.

    Losses, and how much more often the discriminator is right than on test images: in its accuracy while it trains
    (dashed), and about real images of the training, judged as test images are (solid, where recorded; see
    `callbacks.Seen`). The drawings are new in either case, so the solid lines leave them out.
    """
    figure, axes = subplots(1, 3, figsize=(13, 3.9), layout="constrained")
    for axis, loss in zip(axes, ("d_loss", "g_loss"), strict=False):
        for (colour, marker), (name, history) in styled(histories.items()):
            axis.plot(history["epoch"], history[loss], label=name, color=colour, marker=marker, markersize=4)
        axis.set(xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    _losses_and_gap(axes, histories)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(histories))
    figure.suptitle(title)
    return figure


def at_a_glance(runs, classes, columns=6, title=""):
    """Several trainings of one data set in one figure: losses, accuracy gap, and drawings from the same noise.

    The losses stand against the images seen, so that batches of different sizes compare, as means over `SPAN` images;
    the gap is that of `training_curves`. classes: names, a row of drawings each.
    """
    runs, height = by_name(runs), 0.5 * len(classes)
    figure = plt.figure(FigureClass=PlainFigure, figsize=(13, 4.8 + height), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(4, 0.8 + height))
    axes = above.subplots(1, 3)
    for (colour, _), (name, run) in styled(runs.items()):
        seen, means = _means_of_losses(run)
        for axis, values in zip(axes, means.T, strict=False):
            axis.plot(seen, values, color=colour, linewidth=1.2, label=in_legend(name))
            axis.set(xscale="log", xlabel="images seen")
            axis.xaxis.set_major_formatter("{x:,.0f}")
    _losses_and_gap(axes, {name: run.history for name, run in runs.items()})
    above.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(runs))
    named = {name.replace("_", " "): name for name in classes}
    drawn = {
        f"{called}\n{run.age}": {text: run.generate(name, range(columns)) for text, name in named.items()}
        for called, run in runs.items()
    }
    _strips_on(below, drawn)
    figure.suptitle(title)
    return figure


def _means_of_losses(run):
    """Images seen [n], and both losses [n, 2] as means over as many images each, `SPAN` or nearly."""
    batch = run.experiment.batch_size
    steps = max(1, min(SPAN // batch, len(run.losses) // 4))
    count = len(run.losses) // steps
    means = run.losses[: count * steps].reshape(count, steps, 2).mean(axis=1)
    return np.arange(1, count + 1) * steps * batch, means


def _losses_and_gap(axes, histories):
    """What three panels of two losses and the accuracy gap have in common, and the lines of the gap."""
    for (colour, marker), history in styled(histories.values()):
        for (seen, unseen), style in zip(COMPARED, STYLES, strict=True):
            if seen in history:
                gap = 100 * (history[seen] - history[unseen])
                axes[2].plot(history["epoch"], gap, style, color=colour, marker=marker, markersize=4)
    titles = ("Discriminator's loss", "Generator's loss", "Discriminator is right: training less test")
    for axis, text, unit in zip(axes, titles, ("loss (nats)", "loss (nats)", "percentage points"), strict=True):
        axis.set(title=text, ylabel=unit)
        axis.grid(alpha=0.3)
    axes[0].set_ylim(0, None)
    axes[2].set(xlabel="epoch")
    axes[2].xaxis.get_major_locator().set_params(integer=True)
    axes[2].axhline(0, color="black", linewidth=0.8)
    styles = [Line2D([], [], color="black", linestyle=style, label=text) for style, text in STYLES.items()]
    axes[2].legend(handles=styles, fontsize=8, ncols=2, **BELOW)


def conditioning(runs):
    """In how much of what differs between the drawings the class has a part, epoch by epoch: a line per run.

    See `conditioning.class_share`; the drawings are those of the pictures that each run kept while it trained. While a
    line lies at 0 the generator ignores the class.
    """
    runs = by_name(runs)
    figure, axes = subplots(figsize=(9, 3.6), layout="constrained")
    for (colour, marker), (name, run) in styled(runs.items()):
        shares = class_shares(run)
        axes.plot(shares.index, shares, color=colour, marker=marker, markersize=5, label=in_legend(name))
    axes.set(title="In how much of a drawing the class has a part", xlabel="epoch", ylabel="share of the variance")
    axes.set_ylim(-0.02, 1)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(runs))
    return figure


def cost_of_an_epoch(speeds):
    """Seconds of training per epoch, against parameters and against arithmetic: a point per training.

    speeds: a row for each, with columns parameters, images, operations_per_image, 'seconds per epoch'; the index
    names them.
    """
    figure, axes = subplots(1, 2, figsize=(12, 4.6), sharey=True, layout="constrained")
    work = speeds["images"] * speeds["operations_per_image"] / 1e12
    units = ("parameters of the generator", "floating-point operations per epoch, 10¹²")
    for axis, values, unit in zip(axes, (speeds["parameters"], work), units, strict=True):
        axis.scatter(values, speeds["seconds per epoch"], color=MODELS[0][0])
        points = pd.DataFrame({"x": values, "y": speeds["seconds per epoch"], "name": speeds.index})
        alike = points.groupby(["x", speeds["images"]])  # the same network and data under several names
        labels = alike.agg({"x": "first", "y": "mean", "name": "\n".join}).sort_values("y")
        for (_, x, y, names), (side, shift) in zip(labels.itertuples(), itertools.cycle(SIDES), strict=False):
            axis.annotate(names, (x, y), (shift, 0), textcoords="offset points", fontsize=8, va="center", ha=side)
        axis.set(xscale="log", yscale="log", xlabel=unit)
        axis.margins(x=0.6, y=0.1)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("seconds of training per epoch")
    figure.suptitle("What an epoch costs")
    return figure


def by_class(scores, real):
    """A panel per measure, a line per class: what each model scores, and real images.

    scores: {model: table of `Judge.scores`}; real: that of `Judge.real_scores`.
    """
    figure, axes = subplots(1, 4, figsize=(12, 4.4), sharey=True, layout="constrained")
    places = np.arange(len(real))[::-1]
    for axis, (measure, unit) in zip(axes, UNITS.items(), strict=True):
        values = np.array([real[measure], *(table[measure] for table in scores.values())])
        axis.hlines(places, values.min(axis=0), values.max(axis=0), color="#bbbbbb", zorder=1)
        axis.scatter(values[0], places, color="black", marker="|", s=160, linewidth=2, label="real images")
        shifts = 0.15 * np.linspace(1, -1, len(scores))  # so that no marker hides another
        for ((colour, marker), model), column, shift in zip(styled(scores), values[1:], shifts, strict=True):
            axis.scatter(column, places + shift, color=colour, marker=marker, s=45, label=model, zorder=2)
        axis.set(title=measure.capitalize(), xlabel=unit, xlim=(0, None))
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(places, real.index)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(scores) + 1)
    return figure


def over_seeds(looks, real, names):
    """Each measure while the models learn: a thin line per seed, their mean thick; dashed: real images.

    looks: a table with columns experiment, seed, images_seen and the measures; real: {measure: value}; names:
    {experiment: how the figure calls it}.
    """
    figure, axes = subplots(2, 2, figsize=(11, 6.6), layout="constrained", sharex=True)
    for axis, (measure, unit) in zip(axes.flat, UNITS.items(), strict=True):
        for (colour, marker), (experiment, name) in styled(names.items()):
            lines = looks[looks["experiment"] == experiment].pivot(index="images_seen", columns="seed", values=measure)
            axis.plot(lines, color=colour, linewidth=0.8, alpha=0.6)
            axis.plot(lines.mean(axis=1), color=colour, marker=marker, linewidth=2, label=f"{name}, mean of the seeds")
        axis.axhline(real[measure], color="black", linestyle="--", linewidth=0.9, label="real images")
        axis.set(title=measure.capitalize(), ylabel=unit, ylim=(0, None))
        axis.grid(alpha=0.3)
    for axis in axes[1]:
        axis.set_xlabel("images seen in training")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names) + 1)
    figure.suptitle(f"{looks['seed'].nunique()} seeds, each a thin line")
    return figure
