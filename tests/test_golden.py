"""Shipped runs sample what they sampled when they shipped: the same class and seed is the same image, for ever."""

import numpy as np
import pytest
from golden import golden_samples, stored_samples

from cgan_utils.paths import shipped_folder
from cgan_utils.results.run import Run

RUNS = sorted(file.parent.name for file in shipped_folder().glob("*/run.json"))


@pytest.mark.parametrize("name", RUNS)
def test_a_shipped_run_samples_what_it_sampled(name):
    run = Run(name)
    now, then = golden_samples(run).astype(int), stored_samples(run).astype(int)
    assert now.shape == then.shape
    assert np.abs(now - then).max() <= 1, "to ship new weights under an old name, write its sheet: tools/golden.py"


def test_there_are_shipped_runs():
    assert len(RUNS) > 15
