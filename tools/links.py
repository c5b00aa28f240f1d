"""Makes what depends on the repository's public address: Colab badges, set-up cells, the READMEs' tables of notebooks.

The address stands in pyproject.toml, `[project.urls] Repository`, and nowhere else. Needs nothing but Python.

    python tools/links.py            rewrite notebooks and READMEs in place
    python tools/links.py --check    only say which files are out of step; exit code 1 if there are any

A notebook's first cell is Markdown, with its title as `# ` heading and the lines `<!-- colab -->` and
`<!-- /colab -->` around its badge; its first code cell is tagged `setup`; its metadata hold the READMEs' one line about
it: {"cgan": {"about": "…", "about_es": "…"}}. In a README the table stands between `<!-- notebooks -->` and
`<!-- /notebooks -->`, and the picture that links to the web page between `<!-- page -->` and `<!-- /page -->`.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOBODY = "OWNER"  # stands in the address until the project has one
READMES = {  # file: key of the line about a notebook, heading of the table; words about it and the page, its section
    "README.md": ("about", "| Notebook | What it shows | Run it |", "english", "#the-web-page"),
    "README.es.md": ("about_es", "| Cuaderno | Qué muestra | Ejecutarlo |", "spanish", "#la-página"),
}
WORDS = {
    "english": {
        "page": "The web page",
        "there": "**Draw in your browser, without installing anything:**",
        "built": "**A page draws in the browser, without Python. [You can build it]({section}):**",
        "badges": "The badges lead to Colab as soon as `pyproject.toml` names the repository's address and "
        "`make links` was called.\nUntil then, upload this folder to Colab as `/content/{name}` and open a notebook "
        "there.",
    },
    "spanish": {
        "page": "La página",
        "there": "**Dibuja en tu navegador, sin instalar nada:**",
        "built": "**Una página dibuja en el navegador, sin Python. [Puedes crearla]({section}):**",
        "badges": "Los botones llevan a Colab en cuanto `pyproject.toml` tenga la dirección del repositorio y se haya "
        "llamado\n`make links`. Hasta entonces, sube esta carpeta a Colab como `/content/{name}` y abre allí un "
        "cuaderno.",
    },
}


class LinkError(ValueError):
    """A file lacks the place where a link belongs."""


def address(root=ROOT):
    """The repository's public address, without a slash at its end."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"].rstrip("/")


def public(root=ROOT):
    """The repository's public address; None as long as nobody owns the project."""
    url = address(root)
    return None if f"/{NOBODY}/" in url else url


def page(root=ROOT):
    """Where GitHub Pages serves the web page that draws without Python; None as long as nobody owns the project."""
    if not (url := public(root)):
        return None
    owner, _, name = url.removeprefix("https://github.com/").partition("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def badge(name, root=ROOT):
    """Markdown of the badge that opens a notebook, such as '00_generate.ipynb', in Colab."""
    repository = address(root).removeprefix("https://github.com/")
    link = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def setup_source(root=ROOT):
    """The first code cell of every notebook.

    pip leaves alone what satisfies pyproject.toml's lower bounds, so Colab keeps its own TensorFlow, Keras, NumPy and
    ipywidgets. The running kernel doesn't see an editable install; the path is for it, the install for the next one.
    Magics are called as functions: with `%` inside an `if` the cell is no Python, and marimo refuses the notebook.
    """
    url = address(root)
    folder = f"/content/{url.rpartition('/')[2]}"
    get = f'get_ipython().system("git clone --quiet --depth 1 {url} {folder}")'
    if not public(root):
        said = f"It has no public address yet: upload its folder as {folder}."  # short enough for one line
        get = f'raise SystemExit("{said}")'
    return f"""# On Colab this fetches the project and the packages that Colab lacks; anywhere else it does nothing.
import os
import sys

if "google.colab" in sys.modules:
    if not os.path.isdir("{folder}"):
        {get}
    get_ipython().run_line_magic("cd", "-q {folder}")
    get_ipython().run_line_magic("pip", "install --quiet --editable .")
    sys.path.append("{folder}")

    from cgan_utils.backend import machine, versions

    print(machine(), versions())"""


def linked_notebook(path, root=ROOT):
    """The notebook's text with its badge and set-up cell made anew; the very same text if they were right."""
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    first, code = notebook["cells"][0], next((c for c in notebook["cells"] if c["cell_type"] == "code"), {})
    if "setup" not in code.get("metadata", {}).get("tags", []):
        raise LinkError(f"{path.name}: the first code cell must be the set-up cell, tagged 'setup'")
    changed = _replace(first, between(_source(first), "colab", f"\n{badge(path.name, root)}\n", path))
    changed |= _replace(code, setup_source(root))
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n" if changed else text


def linked_readme(path, root=ROOT):
    """The README's text with its table of notebooks and its link to the web page made anew."""
    key, heading, language, section = READMES[path.name]
    words, site = WORDS[language], page(root)
    rows = [heading, "|---|---|---|"]
    for file in _notebooks(root):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        title = re.search(r"^# (.+)$", _source(notebook["cells"][0]), re.MULTILINE)
        about = notebook["metadata"].get("cgan", {}).get(key)
        if not title or not about:
            raise LinkError(f"{file.name}: {path.name} needs its title and, in its metadata, cgan.{key}")
        rows.append(f"| [{title[1]}](notebooks/{file.name}) | {about} | {badge(file.name, root)} |")
    if not site:
        rows += ["", words["badges"].format(name=address(root).rpartition("/")[2])]
    text = between(path.read_text(encoding="utf-8"), "notebooks", "\n" + "\n".join(rows) + "\n", path)
    said = words["there" if site else "built"].format(section=section)
    return between(text, "page", f"\n{said}\n\n[![{words['page']}](docs/page.png)]({site or section})\n", path)


def outdated(root=ROOT):
    """{path: the text it should have} for each file out of step."""
    wanted = {path: linked_notebook(path, root) for path in _notebooks(root)}
    wanted |= {root / name: linked_readme(root / name, root) for name in READMES if (root / name).is_file()}
    return {path: text for path, text in wanted.items() if path.read_text(encoding="utf-8") != text}


def _notebooks(root):
    return sorted((root / "notebooks").glob("*.ipynb"))


def _source(cell):
    return "".join(cell["source"])  # a notebook file holds a list of lines, or one string


def _replace(cell, source):
    """Give the cell this source; True if it had another."""
    if _source(cell) == source:
        return False
    cell["source"] = source.splitlines(keepends=True)
    return True


def between(text, mark, content, path):
    """`text` with what stands between <!-- mark --> and <!-- /mark --> replaced."""
    pattern = re.compile(rf"(<!-- {mark} -->).*?(<!-- /{mark} -->)", re.DOTALL)
    if not pattern.search(text):
        raise LinkError(f"{path.name}: <!-- {mark} --> and <!-- /{mark} --> are missing")
    return pattern.sub(lambda match: match[1] + content + match[2], text)


def rewrite(changes, check, root=ROOT):
    """Write {path: text}, or with `check` only say which files it is about; returns the exit code."""
    for path, text in changes.items():
        print(f"{'out of step' if check else 'rewritten'}: {path.relative_to(root)}")
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return int(check and bool(changes))


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args(arguments).check
    try:
        changes = outdated(root)
    except LinkError as error:
        print(f"links: {error}", file=sys.stderr)
        return 1
    return rewrite(changes, check, root)


if __name__ == "__main__":
    sys.exit(main())
