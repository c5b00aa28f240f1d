"""How good are the images of a run? The protocol of the measures, and metrics.json, which holds what they found.

A run draws as many images of each class, three times, each time from other seeds. The evaluator of its data set looks
at them, and at real images for comparison (see `evaluator`; each measure is defined in `measures`):

    class_accuracy   share of the drawn images that the evaluator takes for the class that was asked for; real: the
                     share for the test images, the ceiling
    frechet, kernel, precision, recall, density, coverage
                     drawn images against as many test images, in the evaluator's features; real: as many training
                     images against the same, the floor of the distances and the ceiling of the others
    diversity        within a class, of the pixels, mean over the classes; real: of the test images
    nearest_…        nearness to the training images, in the pixels and in the features; the goal of a ratio is 1,
                     that of a share 0.01; see `measures`

A run without classes, or of a data set without an evaluator, gets the measures that apply.
"""

import itertools
import time
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

import numpy as np

from .. import backend
from ..data.datasets import earlier, load
from ..data.known import NAMES
from ..errors import CganError
from ..models.sampling import draw
from ..paths import expanded
from . import measures
from .evaluator import find_evaluator
from .measures import frechet_distance, kernel_distance
from .verdicts import verdict

FORMAT = 1
REPEATS = 3
NEIGHBOURS = 5
CROWD = 5000  # images of either side among whose neighbourhoods precision, recall, density and coverage are counted
TOTAL = 10_000  # images in a draw, of all classes together, where an evaluator looks at them; else `COMPARED`
COMPARED = 1000  # images of a class whose pixels are compared with each other, or with all training images: it is slow


class Reference:
    """The real images that drawn ones are compared with. data: an `ImageDataset`; judge: its `Evaluator`, or None.

    What a measure needs is computed when it is first asked for, and kept.
    """

    def __init__(self, data, judge=None):
        if judge and judge.record["data"]["stand_in"] != data.stand_in:
            raise CganError(f"The evaluator of {data.name} learned from other images than those at hand.")
        self.data, self.judge, self._floors = data, judge, {}

    @cached_property
    def test(self):
        """Features and probabilities of the test images."""
        return self.judge.look(self.data.x_test)

    @cached_property
    def train_features(self):
        return self.judge.look(self.data.x_train)[0]

    def floor(self, count):
        """What `count` training images, or all if there are fewer, score against the test images: a dict of floats."""
        if count not in self._floors:
            labels = self.data.y_train
            chosen = np.random.default_rng(0).permutation(len(labels))[: max(count, len(self.data.x_test))]
            if count < len(chosen):
                chosen = _some(chosen[np.argsort(labels[chosen], kind="stable")], count)
            self._floors[count] = self.distances(self.train_features[chosen], count)
        return self._floors[count]

    def compared(self, count):
        """The features of the test images, of `count` of them where there are more, evenly of all classes.

        The measures depend on the number of images: as many real as drawn ones are compared.
        """
        features, labels = self.test[0], self.data.y_test
        return _some(features[np.argsort(labels, kind="stable")], count) if count < len(features) else features

    def real(self, conditional, count):
        """What real images score, {measure: float}, and by class, {measure: one for each}; see `_measure`.

        count: of the training images that are compared with test images, as many as will be drawn.
        conditional: whether by class; else they are compared with each other whatever their class.
        """
        data, scores, by_class = self.data, {}, {}
        labels, classes = (data.y_test, data.classes) if conditional else (np.zeros_like(data.y_test), 1)
        if self.judge:
            scores |= self.floor(count)
        if self.judge and conditional:
            right = self.test[1].argmax(axis=1) == labels
            scores["class_accuracy"] = right.mean()
            by_class["class_accuracy"] = _by_class(np.mean, right, labels, classes)
        by_class["diversity"] = self._diversity(labels, classes)
        return scores | {"diversity": np.mean(by_class["diversity"])}, by_class

    def _diversity(self, labels, classes):
        """Of the test images of each class; of its training images where fewer than two are for testing."""
        data, values = self.data, []
        for label in range(classes):
            images, places = data.x_test, np.flatnonzero(labels == label)
            if len(places) < 2:
                images, learned = data.x_train, data.y_train if classes > 1 else np.zeros_like(data.y_train)
                places = np.flatnonzero(learned == label)
            values.append(_diversity(images[places[:COMPARED]]))
        return values

    def distances(self, features, count):
        """The measures of features [N, d] against those of `count` test images, or of all if there are fewer."""
        real = self.compared(count)
        frechet, (kernel, error) = (measure(real, features) for measure in (frechet_distance, kernel_distance))
        return {
            "frechet": frechet,
            "kernel": kernel,
            "kernel_error": error,
            **measures.neighbourhoods(_some(real, CROWD), _some(features, CROWD), NEIGHBOURS),
        }

    def nearness(self, images, features):
        """How near to the training images drawn ones are: in the pixels, of a thousand of them, and in the features."""
        data = self.data
        images, test = (_some(own, COMPARED) for own in (images, data.x_test))
        sets = {"pixels": (images, data.x_train, test)}
        if self.judge:
            sets["features"] = (features, self.train_features, self.test[0])
        found = {kind: measures.memorisation(*three) for kind, three in sets.items()}
        return {f"nearest_{kind}_{name}": value for kind in found for name, value in found[kind].items()}


_references = {}  # by the name, the folder and the fingerprint of their data


def reference_of(run, folder=None):
    """The `Reference` for the images that a `Run` learned from, made once for each version of them.

    folder: of someone's own pictures, where they are now; by default where they were. Raises CganError if they are
    not there, are of other classes or sizes, or are no longer those that the run learned from: a test image of today
    may be one that it was trained on, and the measures would be wrong.
    """
    entry = run.record["data"]
    if str(entry.get("folder")).startswith("arrays called "):
        raise CganError(
            f"{run.name} learned from {entry['folder']}, which only Python can make again: there, with the same data, "
            "from cgan_utils.results.evaluation import Reference, evaluate; "
            "run.keep_metrics(evaluate(run, Reference(data)))."
        )
    folder = expanded(folder) if folder else entry.get("folder")
    if not (folder and Path(folder).exists()) and (folder or entry["name"] not in NAMES):
        where = f"not in {folder} any more" if folder else "a folder of someone's own"
        raise CganError(f"The pictures that {run.name} learned from are {where}; say where they are with --data.")
    # An absolute path: a folder called "mnist" must not be taken for the data set.
    name, background = str(Path(folder).absolute()) if folder else entry["name"], entry.get("background", "white")
    now = load(name, entry["stand_in"], size=run.shape[0], background=background, labels=entry.get("labels"))
    names = [normalize("NFC", name) for name in entry["class_names"]]  # as those of an archive are
    if folder and (now.shape != run.shape or [normalize("NFC", name) for name in now.class_names] != names):
        raise CganError(
            f"{folder} holds {'×'.join(map(str, now.shape))} images of {', '.join(now.class_names)}, and {run.name} "
            f"learned from {'×'.join(map(str, run.shape))} images of {', '.join(entry['class_names'])}."
        )
    data = as_learned(now, entry["fingerprint"]) or as_learned(now, entry["fingerprint"], entry["images"])
    if not data:
        place = folder or f"The {now.title} at hand"
        raise CganError(
            f"{place} holds other images than the {entry['images']:,} for training and {entry['test_images']:,} for "
            f"testing that {run.name} learned with, or they are divided otherwise; bring those back, or train again."
        )
    key = (data.name, data.folder, data.fingerprint)
    if key not in _references:
        _references[key] = Reference(data, find_evaluator(data))
    return _references[key]


def as_learned(data, fingerprint, limit=None):
    """The `ImageDataset` with this fingerprint, or None: it is `data`, or, if pictures came or went, what its folder
    was before; limit: of that the first images, as many as a training was limited to."""
    versions = itertools.chain([data], earlier(data))
    limited = (version.limited(limit) if limit else version for version in versions)
    return next((version for version in limited if version.fingerprint == fingerprint), None)


def evaluate(run, reference=None, per_class=None, repeats=REPEATS, progress=None):
    """All measures of a `Run`'s images, as a dict that JSON can hold. Nothing is written; `Run.keep_metrics` does it.

    reference: a `Reference`, by default that of the run's data set. per_class: images of each class in each of the
    `repeats` draws, two at least; by default 10,000, or 1,000 where no evaluator knows the data, such as faces and
    one's own pictures, divided by the number of classes, but no fewer than ten. As many real images are compared with
    the drawn ones, or all if there are fewer. progress: called with a share, 0 to 1.
    Raises CganError for a run that can't be measured: an autoencoder, too few images, or data that are not here.
    """
    if run.experiment.game == "autoencoder":
        raise CganError(f"{run.name} is an autoencoder: its codes follow no law from which new ones could be drawn.")
    reference = reference or reference_of(run)
    judge, classes, start = reference.judge, len(run.class_names), time.monotonic()
    if per_class is not None and per_class < 2:
        raise CganError(f"{per_class} image of each class can't be compared with one another; draw 2 or more.")
    per_class = per_class or max(10, (TOTAL if judge else COMPARED) // classes)
    # First, since it refuses too few images before any is sampled.
    real, real_by_class = reference.real(run.conditional, per_class * classes)
    draws = []
    for repeat in range(repeats):
        labels = np.repeat(np.arange(classes), per_class)
        images = draw(run.generator(), labels, repeat * len(labels) + np.arange(len(labels)))
        draws.append(_measure(reference, images, labels, run.conditional, full=not repeat))
        if progress:
            progress((repeat + 1) / repeats)
    drawn, by_class, confusion = zip(*draws, strict=True)
    metrics = {
        "format": FORMAT,
        "protocol": _protocol(run, reference, per_class, repeats),
        "seconds": round(time.monotonic() - start, 1),
        "machine": backend.machine(),
        "versions": backend.versions(),
        "drawn": {name: _mean_and_values([own[name] for own in drawn if name in own]) for name in drawn[0]},
        "real": {name: _rounded(value) for name, value in real.items()},
        "by_class": {name: _rounded(np.mean([own[name] for own in by_class], axis=0)) for name in by_class[0]},
        "real_by_class": {name: _rounded(values) for name, values in real_by_class.items()},
        "class_names": list(run.class_names),
        "seen_names": list(judge.class_names) if judge else [],
        "confusion": np.sum(confusion, axis=0).tolist() if judge else [],
    }
    return metrics | {"verdict": verdict(metrics)}


def _protocol(run, reference, per_class, repeats):
    """What was compared with what, so that whoever reads the numbers can tell which others they compare with."""
    data, judge = reference.data, reference.judge
    return {
        "images_per_class": per_class,
        "repeats": repeats,
        "compared_test_images": min(per_class * len(run.class_names), len(data.x_test)),
        "compared_training_images": min(per_class * len(run.class_names), len(data.x_train)),
        "neighbours": NEIGHBOURS,
        "neighbourhood_images": CROWD,
        "generator": run.draws_with,
        "generator_sha256": run.weights[run.draws_with],
        "evaluator": judge and judge.path.name,
        "evaluator_sha256": judge and judge.sha256,
        "evaluator_accuracy": judge and judge.accuracy,
        "data_fingerprint": data.fingerprint,
        "training_images": len(data.x_train),
        "test_images": len(data.x_test),
    }


def _measure(reference, images, labels, conditional, full):
    """Of one draw: {measure: float}, {measure: one for each class}, and how often each class was seen as each."""
    scores, by_class, confusion, features = {}, {}, None, None
    classes = labels[-1] + 1
    if reference.judge:
        features, chances = reference.judge.look(images)
        seen = chances.argmax(axis=1)
        confusion = np.zeros((classes, chances.shape[1]), int)
        np.add.at(confusion, (labels, seen), 1)
        if conditional:
            scores["class_accuracy"] = (seen == labels).mean()
            by_class["class_accuracy"] = _by_class(np.mean, seen == labels, labels, classes)
        scores |= reference.distances(features, len(features))
    by_class["diversity"] = _by_class(_diversity, images, labels, classes)
    scores["diversity"] = np.mean(by_class["diversity"])
    if full:
        scores |= reference.nearness(images, features)
    return scores, by_class, confusion


def _by_class(measure, values, labels, classes):
    """Of each class; of one that has no value, as a limit of the images may leave it, there is nothing to tell: nan."""
    own = [values[labels == label] for label in range(classes)]
    return [measure(part) if len(part) else np.nan for part in own]


def _diversity(images):
    return measures.diversity(images[:COMPARED])


def _some(images, count):
    """`count` of the images at equal distances, so that all classes of a draw are among them."""
    return images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)]


def _mean_and_values(values):
    return {"mean": _rounded(np.mean(values)), "values": _rounded(values)}


def _rounded(values):
    """To six digits, as plain floats: the rest is noise, and differs from machine to machine."""
    return [float(f"{value:.6g}") for value in values] if np.ndim(values) else float(f"{values:.6g}")
