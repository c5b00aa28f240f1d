"""The plan of the package: six rooms on a ground floor, and who may import from whom."""

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path

import pytest

import cgan_utils

PACKAGE = Path(cgan_utils.__file__).parent
ROOMS = ("data", "models", "results", "training", "views", "lessons")
GROUND = {"", "errors", "files", "paths", "images", "backend", "plain_figures"}
# What each room imports from, beside itself and the ground floor.
ALLOWED = {"data": set(), "models": set(), "results": {"data", "models"}}
ALLOWED["training"] = ALLOWED["results"] | {"results"}
ALLOWED["views"] = ALLOWED["training"] | {"training"}
ALLOWED["lessons"] = ALLOWED["views"] | {"views"}
FILES = {".".join(file.relative_to(PACKAGE).with_suffix("").parts): file for file in sorted(PACKAGE.rglob("*.py"))}


def room(module):
    return module.partition(".")[0] if "." in module else ""


@cache
def imports(module):
    """The modules of the package that a file imports, those inside functions too, by their names below the package."""
    found, here = set(), ["cgan_utils", *module.split(".")]
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(here[: -node.level] if node.level else []), *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    below = {name.removeprefix("cgan_utils.") for name in found if name.startswith("cgan_utils.")}
    return {name if name in FILES else f"{name}.__init__" for name in below} & FILES.keys() - {module}


@pytest.mark.parametrize("module", FILES)
def test_a_room_imports_only_from_those_below_it(module):
    if module in ("__main__", "commands"):  # the command line looks up
        return
    own = room(module)
    if own in ROOMS:
        below = ALLOWED[own] | {own}
        wrong = {name for name in imports(module) if room(name) in ROOMS and room(name) not in below}
    else:
        wrong = {name for name in imports(module) if room(name) in ROOMS}
    assert not wrong


def test_no_circle():
    floors = {}

    def floor(module, path=()):
        assert module not in path, " → ".join([*path, module])
        if module not in floors:
            floors[module] = 1 + max((floor(below, (*path, module)) for below in imports(module)), default=0)
        return floors[module]

    assert max(map(floor, FILES)) > 3  # the walk did follow imports


def test_the_walk_sees_imports():
    assert {"models.gan", "results.writing", "backend.__init__"} <= imports("training.train")


@pytest.mark.parametrize("name", cgan_utils.PUBLIC)
def test_public_names_are_documented(name):
    value = getattr(cgan_utils, name)
    if not isinstance(value, dict):
        assert len(inspect.getdoc(value)) > 60
    if inspect.isroutine(value):
        assert "CganError" in inspect.getdoc(value)


def test_public_names():
    names = {"load", "build", "train", "Run", "explore", "evaluate", "losses", "experiment", "EXPERIMENTS"}
    assert set(cgan_utils.PUBLIC) == names and names <= set(dir(cgan_utils))
    assert cgan_utils.losses is importlib.import_module("cgan_utils.models.losses")
    with pytest.raises(AttributeError, match="explore"):
        cgan_utils.discover  # noqa: B018
