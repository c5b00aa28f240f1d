"""The list of trainings for a machine that is there for minutes only."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from train_list import words

from cgan_utils.results.run import Run

TOOL = Path(__file__).parent.parent / "tools" / "train_list.py"
# Twenty seconds of training, and time enough to save on a machine that does other things, too.
QUICK = ("--reserve", "45", "--minutes", "1.85")
AT_ONCE = ("--reserve", "45", "--minutes", "1.55")  # over when the first step is done
SMALL = "--limit-images 64 --batch-size 16 --epochs"


@pytest.fixture
def train_list(numbers, tmp_path, monkeypatch):
    """Runs the tool on a list, with a small MNIST."""
    arrays = {name: getattr(numbers, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "mnist.npz", **arrays)
    monkeypatch.setenv("CGAN_DATA_DIR", str(tmp_path))

    def run(text, *options):
        (tmp_path / "list.txt").write_text(text, encoding="utf-8")
        command = [sys.executable, TOOL, tmp_path / "list.txt", "--out", tmp_path / "out", *options]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=400)

    return run


def test_a_path_of_windows_stays_whole():
    line = r'modelo_6 --data C:\Users\ana\fotos --name "two words"  # a remark'
    assert words(line) == ["modelo_6", "--data", r"C:\Users\ana\fotos", "--name", "two words"]


def test_what_is_finished_what_is_not_and_what_fails(train_list, tmp_path):
    done = train_list(
        f"no_such_thing\nmodelo_1_mnist_v2 {SMALL} 1  # short\n\nmodelo_1_mnist_v1 {SMALL} 100000\n",
        *QUICK,
    )
    assert done.returncode == 1, done.stderr
    said = [line.split(", ")[0] for line in done.stdout.splitlines()]
    assert said[0].startswith("no_such_thing: failed")
    assert said[1:] == ["modelo_1_mnist_v2: complete", "modelo_1_mnist_v1: stopped in time"]
    assert "no_such_thing" in (tmp_path / "out" / "no_such_thing.log").read_text()
    pieces = sorted((tmp_path / "out" / "packed").glob("modelo_1_mnist_v1.tgz.*"))
    assert all(piece.stat().st_size < 2**24 for piece in pieces)
    with tarfile.open(fileobj=io.BytesIO(b"".join(piece.read_bytes() for piece in pieces))) as archive:
        archive.extractall(tmp_path / "elsewhere", filter="data")
    steps = Run(tmp_path / "elsewhere" / "modelo_1_mnist_v1").record["training"]["steps"]
    again = train_list(f"modelo_1_mnist_v1 {SMALL} 100000\n", *AT_ONCE)
    assert again.returncode == 0, again.stdout
    assert Run(tmp_path / "out" / "modelo_1_mnist_v1").record["training"]["steps"] > steps > 0


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("--epochs 3 modelo_1_mnist_v2", ("--minutes", "5"), "begin with a name"),
        ("modelo_1_mnist_v2\nmodelo_1_mnist_v2", ("--minutes", "5"), "twice"),
        ("modelo_1_mnist_v2", ("--minutes", "0.5"), "40 seconds in which all is saved"),
    ],
)
def test_bad_input_gets_one_sentence(train_list, tmp_path, text, options, message):
    done = train_list(text, *options)
    assert done.returncode == 1
    assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
