"""Trains the classifiers that ship beside the generators.

    python tools/train_classifiers.py stacked fashion_mnist FOLDER      of notebook 13, with all it is compared with
    python tools/train_classifiers.py evaluator cifar10 FOLDER          what `cgan evaluate` asks
    python tools/train_classifiers.py teacher cifar10 FOLDER        what modelo_6's discriminator looks through

The result is FOLDER/stacked_<data set>, which belongs into resultados/, or FOLDER/<data set>, which belongs into
resultados/evaluadores/ or resultados/maestros/. Started again after an interruption, it goes on.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from cgan_utils.backend import keras
from cgan_utils.data.datasets import load
from cgan_utils.errors import CganError
from cgan_utils.models.architectures import ARCHITECTURES, Projected
from cgan_utils.models.classifier import Recipe
from cgan_utils.models.experiments import EXPERIMENTS
from cgan_utils.results.classifier import save
from cgan_utils.training import classifiers, teachers
from cgan_utils.training.classifiers import fine_tune, pretrain

STACKED = {
    "mnist": Recipe(layer_epochs=2, epochs=10),
    "fashion_mnist": Recipe(
        blocks=((32,), (64, 64), (128, 128, 128)),
        layer_epochs=2,
        epochs=24,
        patience=6,
        weight_decay=0.05,
        shift=1,
        flip=True,
    ),
}
UNCURED = {"dropout": 0.0, "shift": 0, "flip": False, "weight_decay": 0.0, "patience": 99}
FEW = {"labels": 1000, "validation": 200, "batch_size": 50, "epochs": 40, "patience": 40}


class Say(keras.callbacks.Callback):
    """A line per epoch."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def on_epoch_end(self, epoch, logs=None):
        scores = ", ".join(f"{score} {float(value):.4f}" for score, value in logs.items())
        print(f"{time.strftime('%H:%M:%S')} {self.name}, epoch {epoch + 1}: {scores}", flush=True)


def train_stacked(name, out):
    """The stacked classifier, the same network from scratch and without the cures, and both starts with few labels."""
    if name not in STACKED:
        raise CganError(f"There is no recipe for {name}; choose one of: {', '.join(STACKED)}.")
    data, base, parts = load(name), STACKED[name], out / f"stacked_{name}.parts"
    scratch = replace(base, layer_epochs=0)
    layers = pretrain(base, data, parts / "layers", extra_callbacks=[Say("layers")])

    def tune(text, recipe, start):
        return fine_tune(recipe, data, start, parts / text, extra_callbacks=[Say(text)])

    trainings = {
        "stacked": tune("stacked", base, layers),
        "from scratch": tune("from scratch", scratch, pretrain(scratch, data)),
        "without the cure": tune("without the cure", replace(base, **UNCURED, epochs=base.epochs // 2), layers),
    }
    for seed in range(3):
        few = replace(base, seed=seed, **FEW)
        bare = replace(few, layer_epochs=0)
        for text, recipe, start in (("stacked", few, layers), ("from scratch", bare, pretrain(bare, data))):
            part = f"1,000 labels, {text}, seed {seed}"
            trainings[part] = tune(part, recipe, start)
    print(save(out / f"stacked_{name}", trainings, data).scores.iloc[:, :2])


def train_evaluator(name, out):
    judge = classifiers.train_evaluator(name, out / name, extra_callbacks=[Say(name)], verbose=0)
    print(f"{name}: {judge.accuracy:.4f} of the test images, {judge.path}")


def train_teacher(name, out):
    """Of the evaluator's recipe, but with other widths and another seed: the two must not share their mistakes."""
    rows = [ARCHITECTURES[one.architecture] for one in EXPERIMENTS.values() if one.dataset == name]
    blocks = next((row.teacher for row in rows if isinstance(row, Projected)), None)
    if not blocks:
        raise CganError(f"No experiment with {name} has a discriminator that looks through a teacher.")
    around = {"extra_callbacks": [Say(name)], "verbose": 0}
    teacher = classifiers.train_evaluator(name, out / name, blocks=blocks, seed=teachers.SEED, **around)
    print(f"{name}: {teacher.accuracy:.4f} of the test images, {teacher.path}")


KINDS = {"stacked": train_stacked, "evaluator": train_evaluator, "teacher": train_teacher}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name", help="of the data set")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args(arguments)
    try:
        KINDS[args.kind](args.name, args.folder)
    except CganError as error:
        print(f"train_classifiers: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
