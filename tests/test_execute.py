"""What tools/execute.py makes of the pictures of a notebook that it ran."""

import base64
import io
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
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


def smooth_plot():
    """Bands of few colours each, of a thousand together: too many for a palette."""
    rows, columns = np.mgrid[:384, :384] // 4
    return np.stack([rows // 3 * 8, columns // 3 * 8, (rows // 3 + columns // 3) * 4], axis=-1).astype("uint8")


def plot_with_soft_edges():
    """Some hundred colours, most of them on a few pixels each, as of letters and lines; a rare one is far from all."""
    picture = plot()
    for shade in range(250):
        picture[5, 40 + shade] = (shade, shade, shade)
        picture[8, 40 + shade] = (255 - shade // 2, 255 - shade // 2, 255)
    picture[290, 700] = (250, 0, 250)
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


def test_a_plot_of_many_colours_is_off_by_no_more_than_six_grey_levels(lighten):
    before = notebook(plot_with_soft_edges())
    size = len(before.cells[0].outputs[0].data["image/png"])
    lighten(before)
    kept = before.cells[0].outputs[0].data["image/png"]
    assert len(kept) < size
    assert np.abs(decoded(kept).astype(int) - plot_with_soft_edges()).max() <= 6


def test_colours_that_no_palette_holds_are_hardly_changed(lighten):
    before = notebook(smooth_plot())
    lighten(before)
    off = np.abs(decoded(before.cells[0].outputs[0].data["image/png"]).astype(int) - smooth_plot())
    assert off.max() <= 2


def test_a_photograph_keeps_the_colours_of_its_areas(lighten):
    before = notebook(photograph())
    lighten(before)
    off = decoded(before.cells[0].outputs[0].data["image/jpeg"]).astype(int)[:296] - photograph()[:296]
    assert np.quantile(np.abs(off.reshape(37, 8, 50, 8, 3).mean(axis=(1, 3))).max(axis=-1), 0.99) <= 6


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


CELLS = [
    "import random",
    "class Counter:\n    value = 0\n\n    def add(self):\n        self.value += 1\n\ncounter = Counter()",
    "other = 1 / 0",
    "counter.add()",
    "'old'",
    "counter.value",
    "[counter for counter in range(2)]",
]


@pytest.fixture
def path(tmp_path):
    """A notebook whose third cell can't run, and which was run long ago."""
    made = new_notebook(cells=[new_markdown_cell("# Title"), *map(new_code_cell, CELLS)])
    for count, cell in enumerate(made.cells[1:], 1):
        cell.execution_count = count
        cell.outputs = [new_output("execute_result", data={"text/plain": "as it was"}, execution_count=count)]
    nbformat.write(made, tmp_path / "a.ipynb")
    return tmp_path / "a.ipynb"


def said(path):
    cells = nbformat.read(path, as_version=4).cells[1:]
    return [output.data["text/plain"] for cell in cells for output in cell.outputs]


def test_only_the_chosen_cells_and_what_they_need_run(execute, path):
    execute.main(["--cells", "5-6", str(path)])
    assert said(path) == ["as it was", "as it was", "'old'", "1", "as it was"]
    after = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in after.cells[1:]] == [1, 2, 3, 4, 5, 6, 7]
    assert after.cells[6].outputs[0].execution_count == 6
    assert after.metadata.kernelspec.display_name == "Python 3 (ipykernel)"


def test_a_cell_that_fails_leaves_the_file_as_it_was(execute, path):
    before = path.read_bytes()
    with pytest.raises(CellExecutionError):
        execute.main(["--cells", "3", str(path)])
    assert path.read_bytes() == before


def test_the_widgets_of_the_other_cells_are_kept_and_those_not_shown_are_not(execute):
    def state(value, **children):
        return {"model_name": "BoxModel", "state": {"value": value, **children}}

    made = notebook(plot(), {"new": state(1)})
    made.cells[0].outputs = [
        new_output("display_data", data={execute.VIEW: {"model_id": key}}) for key in ("new", "old")
    ]
    old = {"old": state(2, children=["IPY_MODEL_child"]), "child": state(3), "gone": state(4)}
    execute.keep_widgets(made, {execute.STATE: {"state": old, "version_major": 2, "version_minor": 0}})
    assert set(made.metadata.widgets[execute.STATE]["state"]) == {"new", "old", "child"}
