"""Small things that the tests share: stand-in digits, a tiny network, a run trained for a few steps."""

import gc
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from unittest.mock import MagicMock

import matplotlib
import pytest
from tiny_networks import TINY, TINY_UNCONDITIONAL

import cgan_utils
from cgan_utils.data import datasets
from cgan_utils.models import architectures
from cgan_utils.models.experiments import Experiment

matplotlib.use("Agg")
# Building networks makes millions of small objects; looking less often for reference cycles among them saves time.
gc.set_threshold(200_000, 50, 100)

# Files of few, long tests: they start first, so that no worker waits for them at the end.
LONG = ("test_other_backends", "test_machines", "test_notebooks")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(scope="session", autouse=True)
def tiny_architectures():
    """Registers the networks 'tiny' and 'tiny_unconditional' for every test."""
    tiny = {"tiny": TINY, "tiny_unconditional": TINY_UNCONDITIONAL}
    architectures.ARCHITECTURES.update(tiny)
    yield
    for name in tiny:
        del architectures.ARCHITECTURES[name]


@pytest.fixture(scope="session", autouse=True)
def tensors_out_of_reach():
    """On PyTorch the package may not read a tensor as an array by itself: one on a graphics card can't be."""
    if os.environ.get("KERAS_BACKEND") != "torch":
        yield
        return
    import torch

    plain, package = torch.Tensor.__array__, Path(cgan_utils.__file__).parent

    def guarded(tensor, *arguments, **options):
        if package in Path(sys._getframe(1).f_code.co_filename).parents:
            raise TypeError("a tensor on a graphics card can't be read as an array; use keras.ops.convert_to_numpy")
        return plain(tensor, *arguments, **options)

    torch.Tensor.__array__ = guarded
    yield
    torch.Tensor.__array__ = plain


@pytest.fixture
def torchvision(monkeypatch):
    """Something in its place where it is missing: torch-fidelity imports it, for what no test here needs.

    Its build must match PyTorch's, so CI does without.
    """
    if not importlib.util.find_spec("torchvision"):
        for part in ("", ".datasets", ".models", ".transforms", ".transforms.functional"):
            name = f"torchvision{part}"
            spec = importlib.machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, MagicMock(__spec__=spec, __path__=[]))


@pytest.fixture(scope="session")
def digits():
    return datasets.load("mnist", stand_in=True).limited(64)


@pytest.fixture(scope="session")
def garments():
    return datasets.load("fashion_mnist", stand_in=True).limited(96)


@pytest.fixture
def tiny():
    return Experiment("tiny_digits", "mnist", "tiny", epochs=2, batch_size=16)


@pytest.fixture(scope="session")
def run(digits, tmp_path_factory):
    """A finished run of two epochs; shared, so tests that damage it copy it first."""
    from cgan_utils.training.train import train

    settings = Experiment("tiny_digits", "mnist", "tiny", epochs=2, batch_size=16)
    return train(settings, tmp_path_factory.mktemp("runs") / "tiny_digits", data=digits, verbose=0)


@pytest.fixture(scope="session")
def unconditional_run(digits, tmp_path_factory):
    """The same without classes, and with noisy labels."""
    from cgan_utils.training.train import train

    settings = Experiment("tiny_any", "mnist", "tiny_unconditional", epochs=2, batch_size=16, label_noise=0.25)
    return train(settings, tmp_path_factory.mktemp("runs") / "tiny_any", data=digits, verbose=0)


@pytest.fixture(scope="session")
def numbers():
    """All stand-in digits."""
    return datasets.load("mnist", stand_in=True)


@pytest.fixture(scope="session")
def judge(numbers, tmp_path_factory):
    """A small evaluator of them."""
    from cgan_utils.training import classifiers

    tiny = {"blocks": ((8,), (16,)), "epochs": 6, "batch_size": 32, "validation": 200, "shift": 1, "dropout": 0.0}
    return classifiers.train_evaluator(
        "mnist", tmp_path_factory.mktemp("judge") / "mnist", data=numbers, verbose=0, **tiny
    )


@pytest.fixture(scope="session")
def reference(numbers, judge):
    from cgan_utils.results.evaluation import Reference

    return Reference(numbers, judge)


@pytest.fixture(scope="session", params=["modelo_1_mnist_v2", "modelo_6_cifar10_v1"])
def exported(request, tmp_path_factory):
    """A shipped run and its .onnx file; the second run's weights are in 8 bits."""
    for name in ("torch", "onnx", "onnxscript"):
        pytest.importorskip(name, reason=f"{name} is not installed, of the extra 'onnx'")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    from cgan_utils.results.run import Run

    run = Run(request.param)
    return run, run.export(tmp_path_factory.mktemp("onnx") / "generator.onnx")
