"""How much the seed decides: a VAE and a cGAN on Fashion-MNIST, trained from several seeds, judged while they learn.

The cGAN takes part twice: as it is shipped, and with stronger label smoothing, the cure for the black images in which
some of its seeds end.

    python benchmarks/seed_stability.py [--images 12800] [--seeds 0 1 2] [--out resultados/studies]

Takes some eight minutes on two free cores; more images, more time. After each training it writes `seed_stability.json`
(settings, machine, seconds, the scores of `vae_vs_gan.Judge` as means over the classes at several moments) and
`seed_stability.npz` (an image of each class from each trained model). Run again, it does what is missing: trainings
that were interrupted, or whose settings have changed. Needs the real Fashion-MNIST.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from cgan_utils import backend
from cgan_utils.backend import keras
from cgan_utils.data.datasets import load
from cgan_utils.errors import CganError
from cgan_utils.lessons.vae_vs_gan import Judge
from cgan_utils.models.experiments import Experiment, experiment
from cgan_utils.paths import shipped_folder
from cgan_utils.training.train import train

CONTENDERS = {
    "cvae_fashion_mnist": experiment("cvae_fashion_mnist"),
    "modelo_1_fashion_mnist": experiment("modelo_1_fashion_mnist"),
    "modelo_1_fashion_mnist, target 0.75": experiment("modelo_1_fashion_mnist", label_smoothing=0.25),
}
MOMENTS = 8  # at which the images are judged
PER_CLASS = 30  # images judged at each
TEST = 500  # test images that each training looks at
FREE = ("contenders", "seeds")  # settings that may differ between the parts of a study


class Looks(keras.callbacks.Callback):
    """Draws from fixed seeds at equally spaced iterations, and takes down what the judge says."""

    def __init__(self, judge, iterations, batch_size):
        super().__init__()
        self.judge, self.batch_size, self.done = judge, batch_size, 0
        self.due = set(np.linspace(0, iterations, MOMENTS + 1)[1:].astype(int).tolist())
        classes = len(judge.class_names)
        self.labels, self.seeds = np.repeat(np.arange(classes), PER_CLASS), np.tile(np.arange(PER_CLASS), classes)
        self.rows, self.images = [], None

    def on_train_batch_end(self, batch, logs=None):
        before, self.done = self.done, self.done + self.model.batch_losses.shape[0]  # steps of one call
        if any(before < step <= self.done for step in self.due):
            drawn = self.model.paint(self.labels, self.seeds)
            scores = self.judge.scores(drawn, self.labels).mean()
            self.rows.append({"images_seen": self.done * self.batch_size, **scores.round(4).to_dict()})
            self.images = drawn[::PER_CLASS]


def train_once(name, seed, data, images, judge):
    """One training of about `images` images. Returns its record, the rows of its looks, and an image of each class."""
    epochs = -(-images // len(data.x_train))
    settings, each = replace(CONTENDERS[name], seed=seed, epochs=epochs), images // epochs
    looks = Looks(judge, epochs * (each // settings.batch_size), settings.batch_size)
    stopped, start = None, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(settings, Path(folder) / "run", data=data, limit_images=each, verbose=0, extra_callbacks=[looks])
        except CganError as error:  # a collapse is a result, too
            stopped = str(error)
    record = {"experiment": name, "seed": seed, "seconds": round(time.monotonic() - start, 1), "stopped": stopped}
    drawn = looks.images if looks.images is not None else np.zeros((data.classes, *data.shape), "uint8")
    return record, [{"experiment": name, "seed": seed, **row} for row in looks.rows], drawn


def read(out, settings):
    """What an earlier run left that these settings would make again: the study and its images."""
    file, study = out / "seed_stability.json", {"settings": settings, "trainings": [], "looks": []}
    old = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"settings": {}}
    if any(old["settings"].get(key) != value for key, value in settings.items() if key not in FREE):
        return study, []
    study["settings"] = settings | {"seeds": sorted({*old["settings"]["seeds"], *settings["seeds"]})}
    then = {name: Experiment.from_dict(row) for name, row in old["settings"].get("contenders", {}).items()}
    same = [name for name in then if then[name] == CONTENDERS.get(name)]
    kept = [i for i, training in enumerate(old["trainings"]) if training["experiment"] in same]
    study["trainings"] = [old["trainings"][i] for i in kept]
    study["looks"] = [look for look in old["looks"] if look["experiment"] in same]
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        return study, [arrays["images"][i] for i in kept]


def write(out, study, images):
    """The images first: should the writing of the second file fail, no training is listed without its images."""
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "seed_stability.npz", images=np.stack(images))
    file = out / "seed_stability.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")
    new.replace(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12_800, help="seen by each training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=shipped_folder() / "studies")
    args = parser.parse_args()
    data = load("fashion_mnist")
    settings = {
        "images": args.images,
        "seeds": args.seeds,
        "judged_per_class": PER_CLASS,
        "data": data.fingerprint,
        "contenders": {name: asdict(settings) for name, settings in CONTENDERS.items()},
    }
    study, images = read(args.out, settings)
    start = time.monotonic()
    judge = Judge(data)
    real = judge.real_scores(PER_CLASS).mean()
    study |= {"machine": backend.machine(), "versions": backend.versions(), "judge_accuracy": round(judge.accuracy, 4)}
    study["real"] = real.round(4).to_dict()
    print(f"judge: {judge.accuracy:.1%} of the test images, {time.monotonic() - start:.0f} s", flush=True)
    few = replace(data, x_test=data.x_test[:TEST], y_test=data.y_test[:TEST])
    done = [(training["experiment"], training["seed"]) for training in study["trainings"]]
    for name, seed in [(name, seed) for seed in args.seeds for name in CONTENDERS]:
        if (name, seed) in done:
            print(f"{name}, seed {seed}: done before", flush=True)
            continue
        training, looks, drawn = train_once(name, seed, few, args.images, judge)
        study["trainings"].append(training)
        study["looks"] += looks
        images.append(drawn)
        write(args.out, study, images)
        numbers = ", ".join(f"{key} {looks[-1][key]:.2f}" for key in real.index) if looks else training["stopped"]
        print(f"{name}, seed {seed}: {training['seconds']} s, {numbers}", flush=True)


if __name__ == "__main__":
    main()
