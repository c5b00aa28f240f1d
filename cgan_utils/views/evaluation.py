"""Figures of what `evaluation` found; each function draws one and returns it."""

import ipywidgets as widgets
import numpy as np
from matplotlib.ticker import LogLocator
from matplotlib.transforms import Bbox

from ..paths import by_name
from ..plain_figures import in_legend, short, subplots
from .comparison import strips
from .widgets import figure_png, show

MARKERS = "osD^vP*X"
# Where a name may stand beside its point: alignments, and the direction from the point.
SIDES = [
    ("right", "center", (-1, 0)),
    ("left", "center", (1, 0)),
    ("center", "bottom", (0, 1)),
    ("center", "top", (0, -1)),
    ("left", "bottom", (1, 1)),
    ("left", "top", (1, -1)),
    ("right", "bottom", (-1, 1)),
    ("right", "top", (-1, -1)),
]


def _words(name):
    return short(str(name).replace("_", " "))


def extremes(run, metrics, count=3, columns=10):
    """The classes that a run draws best and worst, by class accuracy: a row each, with that share."""
    shares = np.asarray(metrics["by_class"]["class_accuracy"])
    order = np.argsort(-shares, kind="stable")
    count = min(count, len(order) // 2)
    labels = [*order[:count], *order[len(order) - count :]]
    rows = {f"{_words(run.class_names[i])} {shares[i]:.0%}": run.draw(int(i), range(columns)) for i in labels}
    return strips({f"{run.title}: the classes it draws best and worst": rows})


def same_class(runs, name, columns=12):
    """One class drawn by each of the runs, which must know it, from the same seeds: a row each."""
    rows = {called: run.generate(name, range(columns)) for called, run in by_name(runs).items()}
    return strips({f"{_words(name)}, seeds 0 to {columns - 1}": rows})


def neighbours(drawn, rows, title):
    """Drawn images above the real ones that are nearest to them: {where: uint8 images [N, H, W, C]}."""
    return strips({title: {"drawn": drawn, **rows}})


def seen_as(metrics, title):
    """What was asked (rows) and what the evaluator saw (columns): counts of images, colour on a scale of roots."""
    return matrix(np.asarray(metrics["confusion"]), metrics["class_names"], metrics["seen_names"], title)


def matrix(counts, rows, columns, title, xlabel="what the evaluator sees", ylabel="class that was asked"):
    """Counts [R, C] as a picture; written into the fields if they are few.

    The right answers would drown the wrong ones, which are what one looks for: colour is on a scale of roots.
    """
    few = len(columns) <= 20
    size = (7.2, 6.2 if len(rows) > 2 else 2.2) if few else (9, 8.4)
    figure, axes = subplots(figsize=size, layout="constrained")
    axes.imshow(np.sqrt(counts), cmap="Blues")
    for (row, column), count in np.ndenumerate(counts if few else np.empty((0, 0))):
        if count:
            dark = count > counts.max() / 3
            axes.text(column, row, count, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    step = 1 if few else 5  # of a hundred names, every fifth can be read
    axes.set_xticks(range(0, len(columns), step), [_words(name) for name in columns[::step]], rotation=40, ha="right")
    axes.set_yticks(range(0, len(rows), step), [_words(name) for name in rows[::step]])
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return figure


def _name_points(axes, points):
    """Write the name of each point beside it, where it covers least of the markers and of the names before it.

    points: {name: ((x, y), area of its marker)}. The limits of the axes must not change afterwards.
    """
    axes.figure.draw_without_rendering()  # so that the layout, and with it the place of each text, is known
    scale = axes.figure.dpi / 72  # pixels of a point, in which areas are given
    taken = []
    for at, area in points.values():
        x, y = axes.transData.transform(at)
        half = np.sqrt(area) / 2 * scale  # a marker of area a is √a points wide
        taken.append(Bbox([[x - half, y - half], [x + half, y + half]]))
    from_the_left = sorted(points.items(), key=lambda point: point[1][0][0])  # so that neighbours follow one another
    for name, (at, area) in from_the_left:
        tried = []
        for ha, va, direction in SIDES:
            beside = (3 + np.sqrt(area) / 2) * np.array(direction)
            text = axes.annotate(
                name, at, beside, textcoords="offset points", fontsize=8, ha=ha, va=va, parse_math=False
            )
            tried.append((_covered(text.get_window_extent().padded(3), taken), text))
        chosen = min(tried, key=lambda one: one[0])[1]  # the first of those that cover least
        for _, text in tried:
            if text is not chosen:
                text.remove()
        taken.append(chosen.get_window_extent())


def _covered(box, others):
    """How much of other boxes a box covers, in square pixels."""
    shared = (Bbox.intersection(box, other) for other in others)
    return sum(one.width * one.height for one in shared if one)


def cost_and_quality(table):
    """What a training computed against the class accuracy, as a share of real images'; the area is the parameters.

    table: of `tables.all_runs`; runs without a class accuracy are left out. Operations, not hours: the machines differ.
    """
    shown = table[table["class accuracy"].notna()]
    figure, axes = subplots(figsize=(10, 5.4), layout="constrained")
    points = {}
    for (data, group), marker in zip(shown.groupby("data"), MARKERS, strict=False):
        cost = group["operations / 10¹⁵"].astype(float)
        share = (group["class accuracy"] / group["of real images"]).astype(float)
        area = 20 * np.sqrt((group["parameters"] / 1e6).astype(float))
        axes.scatter(cost, share, s=area, marker=marker, alpha=0.7, label=in_legend(data))
        points |= {name: ((cost[name], share[name]), area[name]) for name in group.index}
    axes.set(
        xscale="log", xlabel="floating-point operations of the training, 10¹⁵", ylabel="class accuracy / real images'"
    )
    axes.set(ylim=(0, 1.1), title="Cost and quality; area: √parameters")
    axes.margins(x=0.4)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    _name_points(axes, points)
    return figure


_WIDE = {"description_width": "70px"}


def explore_table(table, column):
    """A table that is sorted by the column chosen in a dropdown; `column` at first, the largest on top."""
    by = widgets.Dropdown(options=list(table.columns), value=column, description="Sort by", style=_WIDE)
    rising = widgets.Checkbox(value=False, description="smallest on top", indent=False)
    body = widgets.HTML()

    def sort(change=None):
        rows = table.sort_values(by.value, ascending=rising.value, na_position="last", kind="stable")
        body.value = _html(rows)

    for control in (by, rising):
        control.observe(sort, "value")
    sort()
    show(widgets.VBox([widgets.HBox([by, rising], layout=widgets.Layout(flex_flow="row wrap")), body]), body)


def _html(table):
    """The table as HTML, numbers to three digits, missing ones as a dash."""
    return table.to_html(float_format=lambda value: f"{value:,.3g}", na_rep="–", border=0, justify="left")


def explore_class(runs):
    """Two dropdowns, data set and class; every one of the runs that knows it draws it from the same seeds."""
    by_data = {}
    for run in runs:
        if run.conditional:
            by_data.setdefault(run.record["data"]["title"], []).append(run)
    data = widgets.Dropdown(options=list(by_data), description="Data", style=_WIDE)
    label = widgets.Dropdown(options=by_data[data.value][0].class_names, description="Class", style=_WIDE)
    image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start"))

    def draw(change=None):
        image.value = figure_png(same_class(by_data[data.value], label.value))

    def change_data(change):
        label.unobserve(draw, "value")
        label.options = by_data[data.value][0].class_names
        label.observe(draw, "value")
        draw()

    data.observe(change_data, "value")
    label.observe(draw, "value")
    draw()
    show(widgets.VBox([widgets.HBox([data, label], layout=widgets.Layout(flex_flow="row wrap")), image]), image)
