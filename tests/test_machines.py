"""Two processes that train together as two machines would."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compiling import quickly_compiled

from cgan_utils.backend import BACKEND
from cgan_utils.results.run import Run

HERE = Path(__file__).parent
# `cgan train` with the small networks of the tests, and few images.
CGAN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from tiny_networks import TINY
from cgan_utils.models import architectures, experiments
from cgan_utils.data import datasets

architectures.ARCHITECTURES["tiny"] = TINY
experiments.EXPERIMENTS["tiny"] = experiments.Experiment("tiny", "mnist", "tiny", epochs=1, batch_size=16)
real = datasets.load
datasets.load = lambda name, **options: real(name, stand_in=True)
from cgan_utils.__main__ import main

sys.exit(main())
"""


def start(folder, *options, cache):
    command = [sys.executable, "-c", CGAN, str(HERE), "train", "tiny", "--limit-images", "64", "--out", str(folder)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", **quickly_compiled(cache)}
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *options], env=environment, stdout=pipe, stderr=pipe, text=True)


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(processes):
    """What each process returned and said."""
    try:
        said = [process.communicate(timeout=400) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], said


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed here, an extra of its name")
@pytest.mark.skipif(BACKEND == "torch", reason="the other backends need not be asked twice")
def test_two_machines_train_what_one_trains(tmp_path):
    def pair(*options, of_the_second=()):
        meeting = ("--coordinator", f"127.0.0.1:{port()}", "--machines", "2", *options, "--machine")
        places = {"two": ("1",), "other": ("2", *of_the_second)}
        return [start(tmp_path / name, *meeting, *last, cache=cache) for name, last in places.items()]

    cache = tmp_path / "compiled"
    codes, said = end([start(tmp_path / "one", cache=cache), *pair(of_the_second=("--minutes", "1e-9"))])
    assert codes == [0, 130, 0], said  # one of them was stopped after a step, and so was the other
    assert Run(tmp_path / "two").record["training"]["steps"] == 1
    assert not (tmp_path / "other").exists()
    shutil.copy(tmp_path / "two.checkpoint", tmp_path / "other.checkpoint")
    codes, said = end(pair("--resume"))
    assert codes == [0, 0], said
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    np.testing.assert_allclose(two.losses, one.losses, rtol=2e-3, atol=2e-3)
    assert not (tmp_path / "other").exists()
