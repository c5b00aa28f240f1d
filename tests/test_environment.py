"""What a user's machine may have set before we start: Keras's own settings, an encoding, a missing library."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cgan_utils.paths import root


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


@pytest.mark.parametrize(
    ("name", "hint"), [("nonesuch", "Keras can't start"), ("openvino", "set KERAS_BACKEND to tensorflow or torch")]
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
