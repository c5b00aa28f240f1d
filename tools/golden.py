"""Golden samples: for each shipped run a small sheet of fixed classes and seeds, which a test samples again.

`python tools/golden.py RUN …` writes the sheets of new runs into tests/golden/. A sheet is written once: whoever has to
write one again has changed what a shipped run shows.
"""

import sys
from pathlib import Path

import numpy as np

from cgan_utils.images import cells, from_png, grid, to_png
from cgan_utils.results.run import Run

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden"
CLASSES, SEEDS = 5, (0, 1)


def golden_samples(run):
    """uint8 [N, H, W, C] of up to five classes, spread over all of them, from two seeds each."""
    count = min(CLASSES, len(run.class_names))
    labels = np.linspace(0, len(run.class_names) - 1, count).round().astype(int)
    return run.draw(np.repeat(labels, len(SEEDS)), np.tile(SEEDS, count))


def stored_samples(run):
    """The same as they were when the run shipped."""
    return cells(from_png(FOLDER / f"{run.name}.png"), *run.shape[:2])


def write(run):
    (FOLDER / f"{run.name}.png").write_bytes(to_png(grid(golden_samples(run), len(SEEDS))))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(Run(name))
