"""What depends on the repository's address: in step in the real tree, and made anew in a small one."""

import json
import subprocess
import sys
from pathlib import Path

import links
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

ADDRESS = "https://github.com/someone/elsewhere"


def test_the_project_is_in_step(capsys):
    assert links.main(["--check"]) == 0, f"run `make links`: {capsys.readouterr()}"


@pytest.fixture
def tree(tmp_path):
    """A project of one notebook whose links are not made yet, at another address."""
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{ADDRESS}/"\n', encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("# 00 · A title\n\n<!-- colab --><!-- /colab -->\n\nText."),
        nbformat.v4.new_code_cell("old", metadata={"tags": ["setup"]}),
        nbformat.v4.new_code_cell("1 + 1", execution_count=1, outputs=[nbformat.v4.new_output("stream", text="2")]),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"cgan": {"about": "One.", "about_es": "Uno, año."}})
    nbformat.write(notebook, tmp_path / "notebooks" / "00_a.ipynb")
    for name in links.READMES:
        places = "before\n<!-- notebooks --><!-- /notebooks -->\nafter\n<!-- page --><!-- /page -->\n"
        (tmp_path / name).write_text(places, encoding="utf-8")
    return tmp_path


def contents(tree):
    return {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_check_names_what_is_out_of_step_and_changes_nothing(tree, capsys):
    before = contents(tree)
    assert links.main(["--check"], tree) == 1
    told = capsys.readouterr().out.split("\n")
    assert told == [f"out of step: {name}" for name in ("notebooks/00_a.ipynb", "README.md", "README.es.md")] + [""]
    assert contents(tree) == before


def test_rewriting_puts_everything_in_step(tree):
    before = nbformat.read(tree / "notebooks" / "00_a.ipynb", as_version=4)
    assert links.main([], tree) == 0
    after = nbformat.read(tree / "notebooks" / "00_a.ipynb", as_version=4)
    assert links.public(tree) == ADDRESS
    badge = links.badge("00_a.ipynb", tree)
    assert f"{ADDRESS.removeprefix('https://github.com/')}/blob/main/notebooks/00_a.ipynb" in badge
    assert after.cells[0].source == f"# 00 · A title\n\n<!-- colab -->\n{badge}\n<!-- /colab -->\n\nText."
    assert after.cells[1].source == links.setup_source(tree)
    assert after.cells[2:] == before.cells[2:]
    readme = (tree / "README.es.md").read_text(encoding="utf-8")
    assert readme.startswith("before\n<!-- notebooks -->\n| Cuaderno |")
    row = f"| [00 · A title](notebooks/00_a.ipynb) | Uno, año. | {badge} |"
    assert f"\n{row}\n<!-- /notebooks -->\nafter\n<!-- page -->\n" in readme
    assert readme.endswith(f"(docs/page.png)]({links.page(tree)})\n<!-- /page -->\n")

    assert links.main(["--check"], tree) == 0
    stable = contents(tree)
    assert links.main([], tree) == 0
    assert contents(tree) == stable


def test_without_an_address_nothing_is_fetched_that_is_not_there(tree):
    (tree / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/OWNER/name"\n', "utf-8")
    assert links.public(tree) is None
    source = links.setup_source(tree)
    assert "git clone" not in source and "upload its folder as /content/name" in source
    links.main([], tree)
    for name, said in (
        ("README.md", "without Python. [You can build it](#the-web-page)"),
        ("README.es.md", "Puedes crearla"),
    ):
        text = (tree / name).read_text(encoding="utf-8")
        assert said in text and "`/content/name`" in text
        assert "](docs/page.png)](#" in text


def test_only_contents_count_not_how_json_is_laid_out(tree):
    links.main([], tree)
    path = tree / "notebooks" / "00_a.ipynb"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    assert links.main(["--check"], tree) == 0


@pytest.mark.parametrize(
    ("file", "lost", "said"),
    [
        ("notebooks/00_a.ipynb", "setup", "00_a.ipynb: the first code cell"),
        ("notebooks/00_a.ipynb", "<!-- /colab -->", "00_a.ipynb: <!-- colab -->"),
        ("notebooks/00_a.ipynb", "about_es", "00_a.ipynb: README.es.md needs its title"),
        ("README.md", "<!-- notebooks -->", "README.md: <!-- notebooks -->"),
        ("README.md", "<!-- /page -->", "README.md: <!-- page -->"),
    ],
)
def test_a_missing_place_is_said_in_one_line(tree, capsys, file, lost, said):
    text = (tree / file).read_text(encoding="utf-8")
    (tree / file).write_text(text.replace(lost, "lost"), encoding="utf-8")
    assert links.main([], tree) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"links: {said}")
    assert told.count("\n") == 1


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """An IPython whose `%pip` only notes what it was asked for; what a cell changes is undone afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    no_history = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell(config=no_history, ipython_dir=str(tmp_path / "ipython"))
    shell.system = shell.system_raw  # without a pseudo-terminal, which is not for processes with many threads
    shell.installed = []
    shell.register_magic_function(shell.installed.append, magic_name="pip")
    return shell


def test_outside_colab_the_set_up_cell_does_nothing(shell, tmp_path, capfd):
    path = [*sys.path]
    assert shell.run_cell(links.setup_source()).success
    assert (Path.cwd(), sys.path, shell.installed, capfd.readouterr().out) == (tmp_path, path, [], "")


def test_on_colab_it_fetches_the_project_once_and_installs_it(shell, tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    origin = tmp_path / "origin"
    subprocess.run(["git", "init", "--quiet", origin], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "--message=a"], cwd=origin, check=True)
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{ADDRESS}"\n', encoding="utf-8")
    source = links.setup_source(tmp_path).replace("/content/", f"{tmp_path}/").replace(ADDRESS, origin.as_uri())
    folder = tmp_path / ADDRESS.rpartition("/")[2]
    for _ in range(2):
        assert shell.run_cell(source).success
        assert Path.cwd() == folder
        assert (folder / ".git").is_dir()
    assert shell.installed == ["install --quiet --editable ."] * 2
    assert sys.path[-1] == str(folder)
    told = capfd.readouterr()
    assert "keras" in told.out
    assert "fatal" not in told.err
