"""What every committed notebook must be: titled, introduced in Spanish, short of cell, run through, free of noise."""

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter, NotebookExporter, SlidesExporter, WebPDFExporter
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
    # What JupyterLab writes: with another name, the file of each reader who opens and saves it has changed.
    assert notebook.metadata.kernelspec == {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }


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


def exported(exporter, notebook):
    config = PyFileConfigLoader("jupyter_nbconvert_config.py", str(FOLDER.parent)).load_config()
    return exporter(config=config).from_notebook_node(notebook)[0]


def test_a_page_made_from_it_shows_pictures_where_widgets_stand(notebook, code):
    page = exported(HTMLExporter, notebook)
    assert page.count("<img") >= len([output for output in outputs(code) if PICTURES & set(output.get("data", {}))]) > 0
    assert "jupyter.widget" not in page
    assert "<details open" not in page  # an answer is there to be opened


@pytest.mark.parametrize("readme", ["README.md", "README.es.md"])
def test_the_command_of_the_readme_makes_that_page(readme, tmp_path):
    """nbconvert doesn't read a configuration in the current folder: what counts is the command that a reader types."""
    line = re.search(
        r"^    (.venv/bin/jupyter nbconvert .*--to html .*)$", (FOLDER.parent / readme).read_text("utf-8"), re.M
    )
    assert line[1] in (FOLDER.parent / "Makefile").read_text("utf-8").replace("$(RUN)", ".venv/bin")
    program, *options = line[1].replace("*.ipynb", "00_*.ipynb").split()
    command = [Path(sys.executable).parent / Path(program).name, *options, "--output-dir", tmp_path]
    subprocess.run(command, cwd=FOLDER.parent, check=True, capture_output=True)
    page = (tmp_path / "00_generate.html").read_text("utf-8")
    notebook = nbformat.read(FOLDER / "00_generate.ipynb", as_version=4)
    shown = outputs(cell for cell in notebook.cells if cell.cell_type == "code")
    assert page.count("data:image/") >= len([output for output in shown if PICTURES & set(output.get("data", {}))])
    assert "jupyter.widget" not in page


LINKED = nbformat.v4.new_notebook(
    cells=[
        nbformat.v4.new_markdown_cell("## One\n\nSee [notebook 02](02_eda_mnist.ipynb)."),
        nbformat.v4.new_markdown_cell("<details><summary>Answer</summary>\n\nForty-two.\n</details>"),
    ]
)


@pytest.mark.parametrize(("exporter", "extension"), [(HTMLExporter, ".html"), (SlidesExporter, ".slides.html")])
def test_links_between_pages_lead_to_pages(exporter, extension):
    page = exported(exporter, LINKED)
    assert f'<a href="02_eda_mnist{extension}">notebook 02</a>' in page


def test_in_a_pdf_answers_are_open_and_no_link_leads_to_a_folder_of_the_machine(monkeypatch):
    monkeypatch.setattr(WebPDFExporter, "run_playwright", lambda self, page: page)  # the page that would be printed
    page = exported(WebPDFExporter, LINKED)
    assert "<details open" in page and "<details>" not in page
    assert "See notebook 02." in page


def test_a_students_version_keeps_nothing_of_widgets(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    assert "jupyter.widget" not in exported(NotebookExporter, notebook)


def test_a_conversion_to_a_notebook_keeps_widgets_that_are_shown(notebook):
    assert nbformat.reads(exported(NotebookExporter, notebook), as_version=4).metadata == notebook.metadata


def test_each_heading_begins_a_slide(notebook):
    """`nbconvert --to slides` begins a slide at each cell that is marked, and nowhere else."""
    for cell in notebook.cells:
        heading = cell.cell_type == "markdown" and re.match("##? ", cell.source)
        assert (cell.metadata.get("slideshow", {}).get("slide_type") == "slide") == bool(heading), cell.source[:60]
        if cell.cell_type == "markdown":
            below = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL).partition("\n")[2]
            assert not re.search("^##? ", below, re.MULTILINE), cell.source[:60]


def test_code_cells_are_plain_python(code):
    """Without lines that begin with % or !, which other tools can't read; magics can be called as functions."""
    for cell in code:
        ast.parse(cell.source)


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
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "show_source":
                for item in node.args:
                    source = inspect.getsource(eval(ast.unparse(item), names))
                    assert textwrap.dedent(source).strip() in shown, ast.unparse(item)
