"""What a user's machine may have set before we start: Keras's own settings, an encoding, a missing library."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cgan_utils.__main__ import main
from cgan_utils.backend import keras
from cgan_utils.images import from_png
from cgan_utils.paths import root
from cgan_utils.results.run import Run


def python(*arguments, **environment):
    """Run Python with other environment variables; (exit code, what it printed, its errors)."""
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, timeout=120, cwd=root()
    )
    return done.returncode, done.stdout.decode("ascii", "replace"), done.stderr.decode("ascii", "replace")


def keras_home(tmp_path, **settings):
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    return str(tmp_path)


@pytest.mark.parametrize("encoding", ["ascii", "cp1251"])
def test_a_terminal_that_lacks_a_character_gets_all_others(encoding, tmp_path):
    images, labels = np.zeros((20, 28, 28), "uint8"), np.arange(20) % 10
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    code, out, error = python(
        "-m", "cgan_utils", "data", "mnist", PYTHONIOENCODING=encoding, CGAN_DATA_DIR=str(tmp_path)
    )
    assert (code, error) == (0, "")
    assert "28?28?1" in out


def test_channels_first_is_set_aside(tmp_path):
    home = keras_home(tmp_path, image_data_format="channels_first")
    code = "from cgan_utils import Run; print(Run('modelo_1_mnist_v2').generate(7, 0).shape)"
    _, out, error = python("-c", code, KERAS_HOME=home)
    assert out.strip() == "(1, 28, 28, 1)", error


def test_channels_first_set_after_the_import_changes_no_drawing(run):
    before = run.generate(7, 0)
    keras.config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(Run(run.path).generate(7, 0), before)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_the_name_of_a_backend_may_have_capitals_and_spaces():
    code, out, error = python("-c", "from cgan_utils.backend import BACKEND; print(BACKEND)", KERAS_BACKEND=" PyTorch ")
    assert (code, out.strip()) == (0, "torch"), error


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes the streams")
def test_without_standard_streams_files_are_written_whole(tmp_path):
    file = tmp_path / "a.png"
    drawn = f'generate modelo_1_mnist_v2 --class 7 --out "{file}"'
    command = f'exec "{sys.executable}" -m cgan_utils {drawn} <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], cwd=root(), timeout=120).returncode == 0
    assert from_png(file).shape == (112, 112, 1)


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def __init__(self, error, file):
        super().__init__()
        self.error, self.file = error, file

    def write(self, text):
        raise self.error

    def fileno(self):
        return self.file.fileno()


@pytest.mark.parametrize(
    ("error", "code"), [(BrokenPipeError(32, "Broken pipe"), 0), (OSError(28, "No space left on device"), 2)]
)
def test_a_reader_that_goes_is_no_failure_and_a_full_disk_is(error, code, monkeypatch, capsys, tmp_path):
    with open(tmp_path / "out", "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", Gone(error, file))
        assert main(["list"]) == code
    assert ("No space" in capsys.readouterr().err) == (code == 2)


@pytest.mark.parametrize(
    ("name", "hint"), [("nonesuch", "Keras can't start"), ("openvino", "set KERAS_BACKEND to tensorflow")]
)
def test_a_backend_that_cannot_run_is_one_sentence(name, hint, tmp_path):
    code, _, error = python(
        "-m",
        "cgan_utils",
        "generate",
        "modelo_1_mnist_v2",
        "--class",
        "7",
        "--out",
        str(tmp_path / "x.png"),
        KERAS_BACKEND=name,
    )
    assert code == 2
    assert hint in error
    assert len(error.strip().splitlines()) == 1


def test_no_tensorflow_is_one_sentence(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'tensorflow'\")")
    code, _, error = python(
        "-m", "cgan_utils", "demo", PYTHONPATH=f"{tmp_path}{os.pathsep}{root()}", KERAS_BACKEND="tensorflow"
    )
    assert code == 2
    assert "No module named 'tensorflow'" in error
    assert "Traceback" not in error
