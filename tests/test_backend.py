"""What `backend` asks of the system, tried in a process of its own."""

import platform
import subprocess
import sys

import pytest

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
