"""The networks, losses, the step, training and runs once more, on PyTorch, in a process of their own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgan_utils.backend import BACKEND

FILES = [
    "test_losses.py",
    "test_gan.py",
    "test_architectures.py",
    "test_projected.py",
    "test_vae.py",
    "test_autoencoders.py",
    "test_evaluation.py",
    "test_toy.py",
    "test_train_with_graphs.py",
]
TESTS = Path(__file__).parent


def in_torch(*arguments):
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


pytestmark = pytest.mark.skipif(
    BACKEND == "torch" or not importlib.util.find_spec("torch"),
    reason="PyTorch is not installed here (extra 'torch'), or is already the backend under test",
)


def test_the_same_tests_pass_on_pytorch():
    files = [str(TESTS / name) for name in FILES]
    resume = f"{TESTS / 'test_training.py'}::test_a_longer_training_goes_on_from_a_shorter_one_under_another_name"
    done = in_torch("-m", "pytest", "-q", "-p", "no:cacheprovider", *files, resume)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_a_run_draws_the_same_image_on_both_backends(run, tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from cgan_utils.models import architectures\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "from conftest import TINY\n"
        "architectures.ARCHITECTURES['tiny'] = TINY\n"
        "from cgan_utils.results.run import Run\n"
        "np.save(sys.argv[2], Run(sys.argv[1]).generate(list(range(10)), range(10)))\n"
    )
    done = in_torch("-c", code, str(run.path), str(tmp_path / "a.npy"), str(TESTS))
    assert done.returncode == 0, done.stderr[-3000:]
    import numpy as np

    ours = run.generate(list(range(10)), range(10)).astype(int)
    assert np.abs(ours - np.load(tmp_path / "a.npy")).max() <= 1
