"""What all interactive views share: controls, the picture that they choose, and a way to show both everywhere.

Pictures are `widgets.Image` values, set from callbacks in the main thread: `Output` and matplotlib inside widgets
appear twice, or not at all, in Colab and VS Code. Each view also emits one plain PNG, for places without widgets.
"""

import functools
import io

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
        show(self.view, self.image.value)


def figure_png(figure, dpi=100):
    """A figure as the bytes of a PNG file; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()


def show(view, png=b"", html=""):
    """Display a widget, with a plain picture or table in the same output for readers that can't show widgets."""
    bundle = {
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": view.model_id,
        },
        "text/plain": "An interactive view: run this cell to use it.",
    }
    if png:
        bundle["image/png"] = bytes(png)  # the value of an Image is a memoryview
    if html:
        bundle["text/html"] = html
    display(bundle, raw=True)
