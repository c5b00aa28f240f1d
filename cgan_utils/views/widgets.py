"""What all interactive views share: controls, the picture that they choose, and a way to show both everywhere.

Pictures are `widgets.Image` values, set from callbacks in the main thread: `Output` and matplotlib inside widgets
appear twice, or not at all, in Colab and VS Code. Each view also emits one plain PNG, for places without widgets.
"""

import functools
import io
import os
import sys

import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython.display import display


class PictureView:
    """Controls and the picture they choose: `render(**values)` gives its PNG, drawn once for each choice.

    The controls are attributes, by name, so that a notebook, or a test, can set their values.
    """

    def __init__(self, render, **controls):
        self.render, self.controls = functools.cache(render), controls
        self.image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start"))
        for control in controls.values():
            control.layout.max_width = "100%"
            control.layout.flex = "0 0 auto"  # a narrow window wraps them; a slider that shrinks is but a dot
        flow = widgets.Layout(flex_flow="row wrap")
        self.view = widgets.VBox([widgets.HBox(list(controls.values()), layout=flow), self.image])
        for name, control in controls.items():
            setattr(self, name, control)
            control.observe(lambda change: self.draw(), "value")
        self.draw()

    def draw(self):
        self.image.value = self.render(**{name: control.value for name, control in self.controls.items()})

    def _ipython_display_(self):
        show(self.view, self.image)


def figure_png(figure, dpi=100):
    """A figure as the bytes of a PNG file; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()


VIEW = "application/vnd.jupyter.widget-view+json"
# JupyterLab keeps a widget's picture only while its kernel runs. A notebook that is opened the next day says there
# 'model not found', so what the widget shows is an output of its own, too, the one after it. While the widget is alive,
# it hides that output by this style, which lives and dies with it.
_LIVE = "<style>.jp-OutputArea-child:has(.cgan-live) + .jp-OutputArea-child { display: none }</style>"


def show(view, body):
    """Display a widget, and what it shows as a plain picture or table, which a saved notebook and a page keep.

    body: the `Image` or `HTML` within the view whose value is to be kept; the kept one follows its changes.
    """
    widget = {VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id}}
    widget["text/plain"] = "An interactive view: run this cell to use it."
    if "google.colab" in sys.modules or any(name.startswith("VSCODE_") for name in os.environ):
        # Both save their widgets, and know no such style.
        display({**widget, **_plain(body)}, raw=True)
        return
    live = widgets.HTML(_LIVE)
    live.add_class("cgan-live")
    view.children = (*view.children, live)
    display(widget, raw=True)
    kept = display(_plain(body), raw=True, display_id=True)
    if kept:  # None outside of a notebook
        body.observe(lambda change: kept.update(_plain(body), raw=True), "value")


def _plain(body):
    if isinstance(body, widgets.Image):
        # The value of an Image is a memoryview; it is empty where there is nothing to show.
        return {"image/png": bytes(body.value), "text/plain": "A picture."} if body.value else {"text/plain": ""}
    return {"text/html": body.value, "text/plain": "A table."}
