"""Building the web page: which files are made, and which are removed."""

import importlib
import mimetypes
import os
from types import SimpleNamespace

import pytest


@pytest.fixture
def maker(monkeypatch, tmp_path):
    """tools/page.py, for which an empty folder is page/dist."""
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", ""))  # which it sets; this takes it back
    maker = importlib.import_module("page")
    monkeypatch.setattr(maker, "TARGET", tmp_path)
    for folder in ("models", "strips"):
        (tmp_path / folder).mkdir()
    return maker


def test_a_file_is_named_by_its_content_and_made_once(maker, monkeypatch):
    contents = [b"one", b"another"]
    monkeypatch.setattr(maker, "blend", lambda path, target: target.write_bytes(contents.pop(0)))
    run = SimpleNamespace(name="a", weights={"mean": "0123456789"}, draws_with="mean", export=lambda path: path)
    first = maker.exported(run)
    assert first == maker.exported(run) and first.read_bytes() == b"one" and len(contents) == 1
    first.unlink()
    second = maker.exported(run)
    assert second.read_bytes() == b"another" and second.name != first.name
    run.weights = {"mean": "9876543210"}
    contents.append(b"one")
    assert maker.exported(run).read_bytes() == b"one"


def test_what_no_longer_belongs_to_the_page_is_removed(maker):
    names = ["models/a.1.onnx", "models/a.2.onnx", "strips/a.1.png", "strips/a.2.png"]
    for name in names:
        (maker.TARGET / name).touch()
    maker.tidy([{"file": names[1], "strip": names[3]}])
    assert [name for name in names if (maker.TARGET / name).exists()] == [names[1], names[3]]


@pytest.mark.parametrize("text", ["70000", "65536", "0", "-1", "http"])
def test_a_port_that_is_none_is_said_before_anything_is_built(maker, monkeypatch, capsys, text):
    monkeypatch.setattr(maker, "build", lambda: pytest.fail("it was built"))
    with pytest.raises(SystemExit):
        maker.main([f"--serve={text}"])
    assert "a port is a whole number from 1 to 65535" in capsys.readouterr().err


def test_types_do_not_depend_on_the_machine(maker, monkeypatch):
    for guess in ("guess_type", "guess_file_type"):
        monkeypatch.setattr(mimetypes, guess, lambda *_, **__: ("text/plain", None), raising=False)
    types = {"main.js": "text/javascript", "ort.min.mjs": "text/javascript", "ort.wasm": "application/wasm"}
    assert {name: maker.Handler.guess_type(maker.Handler, name) for name in types} == types
