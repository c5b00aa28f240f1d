"""Do more epochs draw better faces? Runs of `dcgan_celeba` beside each other, seen by the evaluator of CIFAR-10.

    python studies/compare_faces.py FILE.json RUN [RUN ...]

That evaluator knows no faces, but sees shapes and colours; it looks at all pictures at half their size. Real faces are
compared with other real ones, too: the floor. The result belongs into resultados/studies/.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from cgan_utils.data.datasets import load
from cgan_utils.paths import shipped_folder
from cgan_utils.results.evaluator import Evaluator
from cgan_utils.results.measures import diversity, frechet_distance, neighbourhoods
from cgan_utils.results.run import Run

COUNT = 2400  # faces of each kind
SEEDS = (40_000, 60_000)  # where two draws begin


def halved(images):
    """uint8 [N, 64, 64, 3] → uint8 [N, 32, 32, 3], each pixel the mean of four."""
    return np.rint(images.reshape(len(images), 32, 2, 32, 2, 3).mean(axis=(2, 4))).astype("uint8")


def reference(data):
    """COUNT real faces: of the test images, and of the first training images where those are too few."""
    return np.concatenate([data.x_test[:COUNT], data.x_train[: max(0, COUNT - len(data.x_test))]])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("runs", nargs="+")
    args = parser.parse_args(arguments)
    data, judge = load("celeba"), Evaluator(shipped_folder() / "evaluadores" / "cifar10")
    real = judge.look(halved(reference(data)))[0]

    def measured(images):
        features = judge.look(halved(images))[0]
        values = {"frechet": frechet_distance(real, features), **neighbourhoods(real, features)}
        return {name: round(value, 4) for name, value in (values | {"diversity": diversity(images[:1000])}).items()}

    found = {"faces": COUNT, "seeds": SEEDS, "real": measured(data.x_train[COUNT : 2 * COUNT]), "runs": []}
    for run in map(Run, args.runs):
        draws = [measured(run.draw([0], start + np.arange(COUNT))) for start in SEEDS]
        found["runs"].append({"training": run.record["training"], "draws_with": run.draws_with, "draws": draws})
    args.file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
