"""Widgets of the comparison: a table to sort, and one class drawn by every run that knows it."""

import ipywidgets as widgets

from .evaluation_plots import same_class
from .exploration_views import figure_png
from .widgets import show

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
    show(widgets.VBox([widgets.HBox([by, rising]), body]), b"")


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
    show(widgets.VBox([widgets.HBox([data, label]), image]), image.value)
