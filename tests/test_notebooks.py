"""What every committed notebook must be: titled, introduced in Spanish, short of cell, run through, free of noise."""

import ast
import inspect
import os
import re
import textwrap
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from traitlets.config import PyFileConfigLoader

FOLDER = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
MACHINE_PATH = re.compile(r"(?<![\w.])(/(home|root|tmp|work|Users|private|var)/\w|[A-Z]:\\+Users)")
LONGEST_CELL = 14
PICTURES = {"image/png", "image/jpeg"}
LARGEST, LARGEST_TOGETHER = 2 * 2**20, 25e6  # bytes: larger files are not shown on GitHub, or open slowly


@pytest.fixture(params=sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(cells):
    return [output for cell in cells for output in cell.outputs]


def text_of(output):
    """What an output says in words: pictures and widgets left out."""
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), *(str(data[mime]) for mime in data if mime.startswith("text/"))])


def test_it_is_a_valid_numbered_python_notebook(path, notebook):
    nbformat.validate(notebook)
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem)
    assert notebook.metadata.kernelspec.name == "python3"


def test_it_opens_fast(path):
    assert path.stat().st_size <= LARGEST
    assert sum(file.stat().st_size for file in FOLDER.glob("*.ipynb")) <= LARGEST_TOGETHER


def test_it_opens_with_a_title_a_badge_and_spanish(path, notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"# {path.stem[:2]} · ")
    assert "colab-badge.svg" in first.source
    assert "**En breve.**" in first.source


def test_the_first_code_cell_sets_up_and_the_last_cell_is_code(notebook, code):
    assert "setup" in code[0].metadata.tags
    assert notebook.cells[-1].cell_type == "code"


def test_it_ends_with_exercises_their_answers_and_what_comes_next(path, notebook):
    if path.stem.startswith("00"):
        return  # nothing is explained there that could be practised
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    headings = re.findall(r"^## .*$", "\n".join(texts), re.MULTILINE)
    assert headings[-3] in ("## What to conclude", "## What follows for the networks")
    assert headings[-2:] == ["## Exercises", "## Your turn"]
    cell = next(cell.source for cell in notebook.cells if cell.source.startswith("## Exercises"))
    assert cell.count("<details><summary>Answer</summary>") == cell.count("</details>") >= 2
    following = re.search(r"\*\*Next:\*\*.*\]\((\d\d_\w+\.ipynb)", cell)[1]
    assert (FOLDER / following).is_file()


def test_no_code_cell_is_long(code):
    assert not [cell.source for cell in code if len(cell.source.splitlines()) > LONGEST_CELL]


def test_a_training_cell_can_be_run_again(code):
    """Whoever changes a number and runs a cell once more trains anew: in a folder that is new each time."""
    for cell in code:
        if re.search(r"(?<![\w.])train\(", cell.source) and "import train" not in cell.source:
            assert "mkdtemp" in cell.source or "Path(" not in cell.source  # without a folder it is a new one


def test_it_was_run_from_top_to_bottom_in_a_fresh_kernel(code):
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any(PICTURES & set(output.get("data", {})) for output in outputs(code))


def test_its_outputs_are_clean(code):
    assert not [output for output in outputs(code) if output.output_type == "error"]
    noise = [text_of(output) for output in outputs(code) if output.get("name") == "stderr"]
    assert not [text for text in noise if "Warning" in text or "Traceback" in text]


def test_its_outputs_come_from_the_real_data(code):
    assert not [text_of(output) for output in outputs(code) if "(stand-in)" in text_of(output)]


def test_it_keeps_no_picture_that_may_not_be_passed_on(code):
    """Cells with a tag, which tools/execute.py knows; every cell that takes pictures of CelebA needs it to show any."""
    private = [cell for cell in code if "private-output" in cell.metadata.get("tags", [])]
    if any('load("celeba"' in cell.source for cell in code):
        private += [cell for cell in code if re.search(r"\bdata\.(x_|limited)", cell.source)]
        assert any("pictures(" in cell.source for cell in private)  # the test finds the cell that shows some
    assert not [output for output in outputs(private) if {*PICTURES, WIDGET} & set(output.get("data", {}))]


def test_its_widgets_are_kept(notebook, code):
    """Without their state, a page made from the notebook shows an error where a widget should be."""
    views = [output.data[WIDGET]["model_id"] for output in outputs(code) if WIDGET in output.get("data", {})]
    kept = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    assert set(views) <= set(kept)


def test_a_page_made_from_it_shows_pictures_where_widgets_stand(notebook, code):
    config = PyFileConfigLoader("jupyter_nbconvert_config.py", str(FOLDER.parent)).load_config()
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    assert page.count("<img") >= len([output for output in outputs(code) if PICTURES & set(output.get("data", {}))]) > 0
    assert page.count(WIDGET) < 2  # the state that all share, and no view


def test_it_names_no_folder_of_the_machine_it_ran_on(notebook, code):
    texts = [cell.source for cell in notebook.cells] + [text_of(output) for output in outputs(code)]
    assert not [text for text in texts if MACHINE_PATH.search(text)]


@pytest.fixture(scope="module")
def kernel():
    """One for the last cells of all notebooks, emptied before each: to load TensorFlow in each would take minutes."""
    manager = KernelManager()
    manager.start_kernel(cwd=str(FOLDER), env={**os.environ, "CGAN_BUDGET": "smoke"})
    yield manager
    manager.shutdown_kernel(now=True)


def test_its_last_cell_draws_alone(notebook, kernel):
    notebook.cells = [nbformat.v4.new_code_cell("%reset -f"), notebook.cells[-1]]
    NotebookClient(notebook, km=kernel, timeout=300).execute()
    assert any(PICTURES & set(output.get("data", {})) for output in outputs(notebook.cells))


def test_the_source_that_it_shows_is_the_source_as_it_is(code):
    """`show_source` shows what runs; a stored output would go on showing what ran."""
    names = {}
    for cell in code:
        lines = "\n".join(re.findall(r"^from cgan_utils\S* import [^(\n]+$", cell.source, re.MULTILINE))
        exec(lines, names)
        shown = "\n".join(str(output["data"].get("text/plain")) for output in cell.outputs if "data" in output)
        for node in ast.walk(ast.parse(re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.MULTILINE))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "show_source":
                for item in node.args:
                    source = inspect.getsource(eval(ast.unparse(item), names))
                    assert textwrap.dedent(source).strip() in shown, ast.unparse(item)
