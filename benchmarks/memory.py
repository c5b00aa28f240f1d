"""Peak memory of preparing a folder of pictures, of drawing all its images once, and of training on it.

    python benchmarks/memory.py                 with 2,000 and with 40,000 pictures, as a Markdown table
    python benchmarks/memory.py --train 20      and with so many steps of dcgan_celeba

The pictures are JPEGs of CelebA's proportions: few different ones, linked under many names. Each measurement has a
process of its own, so that its peak is its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import resource
except ImportError:
    sys.exit("This needs Linux or macOS: Windows does not tell the peak memory of a process.")

from cgan_utils.errors import CganError
from cgan_utils.models.experiments import experiment

COUNTS = (2_000, 40_000)
SIZE, BATCH, EXPERIMENT = 64, 128, "dcgan_celeba"
DIFFERENT = 50  # a file system may allow no more than a few thousand links to a file


def write_pictures(folder, count):
    """`count` JPEGs of 89 × 109 pixels."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    for i in range(count):
        path = folder / f"{i:06}.jpg"
        if i < DIFFERENT:
            coarse = np.random.default_rng(i).integers(0, 256, (7, 6, 3), np.uint8)
            Image.fromarray(coarse).resize((89, 109), Image.Resampling.BICUBIC).save(path)
        else:
            os.link(folder / f"{i % DIFFERENT:06}.jpg", path)


def prepare(folder):
    from cgan_utils.data import folders

    folders.prepare(folder, SIZE)


def draw(folder):
    """Every training image once, in shuffled batches, after the fingerprint that each training begins with."""
    import numpy as np

    from cgan_utils.data.datasets import load

    data = load(folder, size=SIZE)
    assert len(data.fingerprint) == 64
    order = np.random.default_rng(0).permutation(len(data.x_train))
    for i in range(0, len(order), BATCH):
        assert data.x_train[order[i : i + BATCH]].dtype == np.uint8


def train(folder, steps):
    from cgan_utils.backend import keras
    from cgan_utils.data.datasets import load
    from cgan_utils.training.train import train

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch + 1 >= steps:
                raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as out:
        train(EXPERIMENT, Path(out) / "run", data=load(folder, size=SIZE), extra_callbacks=[Stop()], verbose=0)


def peaks():
    """The peak memory of this process in MB (10⁶ bytes), as getrusage and as Linux's VmHWM say it (0 elsewhere)."""
    unit = 1 if platform.system() == "Darwin" else 1024
    status = Path("/proc/self/status")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines()) if status.exists() else {}
    return [
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
        int(lines.get("VmHWM", "0 kB").split()[0]) * 1024 / 1e6,
    ]


def measure(what, folder, cache, *arguments):
    """Run one of the functions above in a process of its own; returns seconds and peaks."""
    command = [sys.executable, __file__, "--child", what, folder, *map(str, arguments)]
    child = subprocess.run(command, env=os.environ | {"CGAN_CACHE_DIR": cache}, stdout=subprocess.PIPE, check=True)
    return json.loads(child.stdout.splitlines()[-1])


def child(what, folder, *steps):
    start = time.monotonic()
    {"prepare": prepare, "draw": draw, "train": train}[what](Path(folder), *map(int, steps))
    print(json.dumps([time.monotonic() - start, *peaks()]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=0, metavar="STEPS", help="also train for so many steps")
    args = parser.parse_args()
    if args.train:
        experiment(EXPERIMENT)  # a missing one answers before anything is measured
    jobs = [("prepare",), ("draw",)] + [("train", args.train)] * bool(args.train)
    heads = ["images", *(f"{job[0]}: seconds | peak, MB (VmHWM)" for job in jobs)]
    print(f"| {' | '.join(heads)} |\n{'|---' * (1 + 2 * len(jobs))}|")
    found = {}
    with tempfile.TemporaryDirectory() as work:
        for count in COUNTS:
            folder = Path(work) / f"{count}"
            write_pictures(folder, count)
            found[count] = [measure(job[0], folder, work, *job[1:]) for job in jobs]
            row(f"{count:,}", found[count])
    few, many = found.values()
    row("difference", [[b - a for a, b in zip(*pair, strict=True)] for pair in zip(few, many, strict=True)])


def row(name, measured):
    numbers = (f"{seconds:.1f} | {usage:.0f} ({high_water:.0f})" for seconds, usage, high_water in measured)
    print(f"| {name} | {' | '.join(numbers)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        try:
            main()
        except CganError as error:
            sys.exit(str(error))
