"""What `backend` asks of the system, tried in a process of its own, and how it feeds batches to a model."""

import platform
import subprocess
import sys

import numpy as np
import pytest

from cgan_utils.backend import BACKEND, feed, keras

FAULTS = """
import resource

import numpy as np

from cgan_utils.backend import freed_memory_kept


def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        np.ones(2**20, "uint8")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


faults(2)
with freed_memory_kept():
    faults(2)
    kept = faults(5)
big = [np.ones(2**26, "uint8") for _ in range(4)]
del big
print(kept, faults(5))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told how to keep memory")
def test_memory_is_kept_within_and_given_back_after():
    found = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    kept, after = map(int, found.stdout.split())
    assert kept < 100 < after  # pages; 1 MB is 256 of 4 kB, and too little for a huge one


def pairs(count, size=2):
    return ((np.full((size, 3), i, "float32"), np.full(size, i, "int32")) for i in range(count))


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return next(pairs(1, size=2 - i // 2))[0] + i, np.full(2 - i // 2, i, "int32")


def numbers(fed):
    """The label of each batch, after a look at its image."""
    found = []
    for image, labels in fed:
        assert np.asarray(image).shape == (len(labels), 3)
        assert np.all(np.asarray(image) == np.asarray(labels)[0])
        found.append(int(labels[0]))
    return found


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow reads batches through a pipeline of its own")
def test_batches_are_fed_in_their_order_by_a_pipeline_that_tunes_nothing():
    stream, sequence = feed(pairs(5)), feed(Pairs())
    assert numbers(stream) == [0, 1, 2, 3, 4]
    assert numbers(sequence) == numbers(sequence) == [0, 1, 2]  # for the test images of each epoch; the last has fewer
    assert len(sequence) == 3
    assert stream.options().autotune.enabled is sequence.options().autotune.enabled is False


@pytest.mark.parametrize("given", [None, np.zeros(2), (np.zeros(2), np.ones(2))])
def test_what_is_no_stream_is_left_to_keras(given):
    assert feed(given) is given
