"""The networks, losses, the step, training and runs once more, on PyTorch and on JAX, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compiling import quickly_compiled

from cgan_utils.backend import BACKEND

TESTS = [
    "test_losses.py",
    "test_gan.py",
    "test_architectures.py",
    "test_projected.py",
    "test_vae.py",
    "test_autoencoders.py",
    "test_stacked.py",
    "test_toy.py",
    "test_golden.py",
]
MORE = {
    "torch": [
        "test_scoring.py::test_scored_epochs_are_recorded_and_the_best_generator_kept",
        "test_training.py::test_a_longer_training_goes_on_from_a_shorter_one_under_another_name",
    ],
    "jax": [
        "test_steps_per_call.py::test_several_steps_in_a_call_are_the_same_steps",
        "test_steps_per_call.py::test_a_checkpoint_fits_any_number_of_steps_per_call",
        "test_devices.py",
    ],
}
# On a CPU, XLA takes long for the gradients of these networks of full size.
LESS = {
    "torch": [],
    "jax": [
        "test_gan.py::test_every_weight_gets_a_gradient[modelo_1]",
        "test_gan.py::test_every_weight_gets_a_gradient[modelo_3_28px]",
        "test_gan.py::test_every_weight_gets_a_gradient[gan_ligera]",
        "test_autoencoders.py::TestPlane::test_training_lowers_the_error_and_follows_the_codes",
    ],
}
TWO_DEVICES = "--xla_force_host_platform_device_count=2"  # for which JAX takes the processor
HERE = Path(__file__).parent


def python(backend, cache, *arguments):
    # One thread for PyTorch: two wait in loops for one another, which takes five times as long beside other tests.
    environment = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    environment |= quickly_compiled(cache, TWO_DEVICES)
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200, check=False)


@pytest.fixture(params=MORE)
def backend(request):
    if request.param == BACKEND or not importlib.util.find_spec(request.param):
        pytest.skip(f"{request.param} is not installed here, an extra of its name, or is the backend under test")
    return request.param


def test_the_same_tests_pass(backend, tmp_path):
    tests = [str(HERE / name) for name in TESTS + MORE[backend]]
    chosen = ["-m", "not one_backend", *(f"--deselect=tests/{name}" for name in LESS[backend])]
    done = python(backend, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, *chosen)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


def test_a_run_draws_the_same_image(backend, run, tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from cgan_utils.models import architectures\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "from tiny_networks import TINY\n"
        "architectures.ARCHITECTURES['tiny'] = TINY\n"
        "from cgan_utils.results.run import Run\n"
        "np.save(sys.argv[2], Run(sys.argv[1]).generate(list(range(10)), range(10)))\n"
    )
    done = python(backend, tmp_path, "-c", code, str(run.path), str(tmp_path / "a.npy"), str(HERE))
    assert done.returncode == 0, done.stderr[-3000:]
    ours = run.generate(list(range(10)), range(10)).astype(int)
    assert np.abs(ours - np.load(tmp_path / "a.npy")).max() <= 1
