"""How notebooks become pages, slides and PDFs: `make html`, or `jupyter nbconvert` with this file as its `--config`.

nbconvert doesn't look for this file in the current folder by itself.
"""

import re

from nbconvert.preprocessors import Preprocessor

VIEW = "application/vnd.jupyter.widget-view+json"
LINK = re.compile(r"\[([^][]*)\]\((\d\d_\w+)\.ipynb\)")


class ForReaders(Preprocessor):
    """Makes a notebook readable without Python and without a connection."""

    def preprocess(self, notebook, resources):
        extension = resources["output_extension"]
        if extension != ".ipynb":
            show_pictures(notebook)
            lead_to(extension, notebook)
        if extension in (".slides.html", ".pdf", ".tex"):
            open_answers(notebook)
        drop_unused_widgets(notebook)
        return notebook, resources


def show_pictures(notebook):
    """Leave of a widget its sentence, and the picture or table kept beside it, or after it.

    The widget itself would need scripts from the internet, and Python.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)


def lead_to(extension, notebook):
    """Let links to other notebooks lead to the pages made of them. A PDF would keep this machine's folder: no links."""
    new = r"[\1](\2" + extension + ")" if extension.endswith(".html") else r"\1"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(new, cell.source)


def open_answers(notebook):
    """On paper and on slides nobody can open what is closed."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")


def drop_unused_widgets(notebook):
    """A notebook without widgets, such as a student's version made by `--clear-output`, keeps nothing of them."""
    if not any(VIEW in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])):
        notebook.metadata.pop("widgets", None)


c = get_config()  # noqa: F821
c.Exporter.preprocessors = [ForReaders]
