"""What tools/execute.py makes of the pictures of a notebook that it ran."""

import base64
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from cgan_utils.images import to_png


@pytest.fixture
def execute(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "tools")
    import execute

    yield execute
    sys.modules.pop("execute")


@pytest.fixture
def lighten(execute):
    return execute.lighten


def photograph():
    """Colours that change smoothly, with a little noise, like a camera's."""
    rows, columns = np.mgrid[:300, :400]
    smooth = np.stack([rows * 0.6, columns * 0.5, (rows + columns) * 0.3], axis=-1)
    return (smooth + np.random.default_rng(0).normal(0, 6, smooth.shape)).clip(0, 255).astype("uint8")


def plot():
    """White, with lines of some colours."""
    picture = np.full((300, 1400, 3), 255, "uint8")
    for i in range(9):
        picture[20 + 30 * i, 40:1360] = (20 * i, 80, 255 - 20 * i)
    return picture


def notebook(picture, state=()):
    data = {"image/png": base64.b64encode(to_png(picture)).decode(), "text/plain": "<Figure>"}
    made = new_notebook(cells=[new_code_cell("", outputs=[new_output("display_data", data=data)])])
    made.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": dict(state)}}
    return made


def decoded(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


def test_a_photograph_becomes_a_smaller_jpeg_that_looks_the_same(lighten):
    before = notebook(photograph())
    size = len(before.cells[0].outputs[0].data["image/png"])
    lighten(before)
    data = before.cells[0].outputs[0].data
    assert set(data) == {"image/jpeg", "text/plain"} and len(data["image/jpeg"]) < size / 4
    assert np.abs(decoded(data["image/jpeg"]).astype(int) - photograph()).mean() < 6


def test_a_plot_stays_a_png_of_its_size_and_colours(lighten):
    before = notebook(plot())
    lighten(before)
    assert (decoded(before.cells[0].outputs[0].data["image/png"]) == plot()).all()


def test_the_picture_of_a_widget_says_what_it_has_become(lighten):
    buffer = {"data": base64.b64encode(to_png(photograph())).decode(), "encoding": "base64", "path": ["value"]}
    slider = {"model_name": "IntSliderModel", "state": {"value": 3}}
    image = {"model_name": "ImageModel", "state": {"format": "png"}, "buffers": [buffer]}
    before = notebook(plot(), {"a": slider, "b": image})
    lighten(before)
    kept = before.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert kept["b"]["state"]["format"] == "jpeg" and kept["a"] == slider
    assert Image.open(io.BytesIO(base64.b64decode(kept["b"]["buffers"][0]["data"]))).format == "JPEG"


def test_lightened_again_it_stays_as_it_is(lighten):
    once = notebook(photograph())
    lighten(once)
    data = dict(once.cells[0].outputs[0].data)
    lighten(once)
    assert once.cells[0].outputs[0].data == data


def test_the_pictures_of_a_private_cell_are_left_out_and_its_words_stay(execute):
    made = notebook(plot())
    private = new_code_cell("", metadata={"tags": ["private-output"]}, outputs=list(made.cells[0].outputs))
    private.outputs += [new_output("stream", text="six faces"), new_output("execute_result", data={"text/plain": "6"})]
    made.cells.append(private)
    execute.leave_out_private(made)
    assert execute.has_picture(made.cells[0].outputs[0])
    assert [output.get("text") or output.data["text/plain"] for output in private.outputs] == ["six faces", "6"]
