"""Small things that the tests share: stand-in digits, a tiny network, a run trained for a few steps."""

import matplotlib
import pytest

from cgan_utils import architectures, datasets
from cgan_utils.experiments import Experiment

matplotlib.use("Agg")

TINY = architectures.Architecture(
    base=4, up=((4, 4, 2), (4, 4, 2)), output="conv", output_kernel=3, down=((4, 3, 2), (4, 3, 2)), output_dropout=0.4
)


@pytest.fixture(scope="session", autouse=True)
def tiny_architecture():
    """Registers the network 'tiny' for every test."""
    architectures.ARCHITECTURES["tiny"] = TINY
    yield
    del architectures.ARCHITECTURES["tiny"]


@pytest.fixture(scope="session")
def digits():
    return datasets.load("mnist", stand_in=True).limited(64)


@pytest.fixture
def tiny():
    return Experiment("tiny_digits", "mnist", "tiny", epochs=2, batch_size=16)


@pytest.fixture(scope="session")
def run(digits, tmp_path_factory):
    """A finished run of two epochs; shared, so tests that damage it copy it first."""
    from cgan_utils.training import train

    settings = Experiment("tiny_digits", "mnist", "tiny", epochs=2, batch_size=16)
    return train(settings, tmp_path_factory.mktemp("runs") / "tiny_digits", data=digits, verbose=0)
