"""A stacked classifier on disk, beside the trainings it is compared with: written complete or not at all.

    classifier.json           recipes, histories and test scores of all trainings; data, versions, sha256 of the weights
    classifier.safetensors    the network of the first training, float32

Nothing is unpickled and no code is read from files: the network is rebuilt from its recipe.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors import numpy as safetensors
from sklearn.metrics import f1_score

from .. import backend
from ..errors import CganError
from ..models.classifier import Recipe, build
from ..models.layers import to_signed
from ..paths import shipped_folder, whole_folder
from .weights import compact

ops = backend.keras.ops

FORMAT = 1
RECORD, WEIGHTS = "classifier.json", "classifier.safetensors"
TEST_BATCH = 500


class Stacked:
    """What `save` wrote. `Stacked("stacked_mnist")` opens what is shipped by that name, `Stacked(path)` any folder.

    `recipes`, `histories`: {training: Recipe, DataFrame}; `scores`: a DataFrame with a row per training; `network`: the
    first training's classifier, images [N, H, W, C] in [-1, 1] → logits, float32. Raises CganError, in one sentence,
    for a folder that is missing or damaged.
    """

    def __init__(self, name_or_path):
        path = Path(name_or_path)
        self.path = path if (path / RECORD).is_file() else shipped_folder() / path
        try:
            self.record = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
            content = (self.path / WEIGHTS).read_bytes()
        except (OSError, ValueError) as error:
            raise CganError(f"{self.path} holds no stacked classifier that can be read ({error}).") from None
        if self.record.get("format") != FORMAT or self.record.get("sha256") != hashlib.sha256(content).hexdigest():
            raise CganError(f"{self.path} is of another version, or {WEIGHTS} was altered; copy the folder again.")
        trainings, data = self.record["trainings"], self.record["data"]
        self.class_names, self.title = tuple(data["class_names"]), data["title"]
        self.recipes = {name: _recipe(entry["recipe"]) for name, entry in trainings.items()}
        self.histories = {name: pd.DataFrame(entry["history"]) for name, entry in trainings.items()}
        self.scores = pd.DataFrame({name: entry["test"] for name, entry in trainings.items()}).T
        self.recipe = next(iter(self.recipes.values()))
        self.network = build(self.recipe, data["shape"], len(self.class_names), "float32")
        _fill(self.network, content, self.path / WEIGHTS)

    def probabilities(self, images):
        """uint8 images [N, H, W, C] → probabilities [N, classes]."""
        return probabilities(self.network, images, self.recipe.flip)


def save(path, trainings, data):
    """Write {name: Trained}, with scores on the test images, into a folder, and return it opened.

    The weights of the first are kept; an earlier folder is replaced once the new one is complete.
    """
    path = Path(path)
    networks = {name: _as_stored(trained, data) for name, trained in trainings.items()}
    content = safetensors.save(_arrays(next(iter(networks.values()))))
    record = {
        "format": FORMAT,
        "data": {
            key: getattr(data, key) for key in ("name", "title", "stand_in", "fingerprint", "shape", "class_names")
        },
        "parameters": next(iter(networks.values())).count_params(),
        "machine": backend.machine(),
        "versions": backend.versions(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "trainings": {
            name: {
                "recipe": asdict(trained.recipe),
                "test": score(networks[name], data, trained.recipe.flip),
                # Not every column means something at every stage, and JSON knows no NaN.
                "history": [row.dropna().to_dict() for _, row in trained.history.iterrows()],
            }
            for name, trained in trainings.items()
        },
    }
    with whole_folder(path) as new:
        (new / WEIGHTS).write_bytes(content)
        (new / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Stacked(path)


def score(network, data, flip=False):
    """Accuracy, cross-entropy (nats) and F1 of each class on the test images, as a dict of numbers."""
    chances = probabilities(network, data.x_test, flip)
    guesses, truth = chances.argmax(axis=1), data.y_test
    own = np.maximum(chances[np.arange(len(truth)), truth], 1e-12)
    f1 = f1_score(truth, guesses, labels=range(data.classes), average=None, zero_division=0)
    numbers = {"accuracy": (guesses == truth).mean(), "cross_entropy": -np.log(own).mean()}
    numbers |= {f"f1 {name}": value for name, value in zip(data.class_names, f1, strict=True)}
    return {name: round(float(value), 6) for name, value in numbers.items()}


def _as_stored(trained, data):
    """The network with the weights that will be read again, so that the scores are of those."""
    network = build(trained.recipe, data.shape, data.classes, "float32")
    network.set_weights([compact(weight).astype("float32") for weight in trained.network.get_weights()])
    return network


def _arrays(network):
    return {variable.path: compact(ops.convert_to_numpy(variable)) for variable in network.weights}


def _fill(network, content, file):
    try:
        arrays = safetensors.load(content)
    except SafetensorError as error:
        raise CganError(f"{file} is no safetensors file ({error}); copy it again.") from None
    shapes = {variable.path: tuple(variable.shape) for variable in network.weights}
    if shapes != {name: array.shape for name, array in arrays.items()}:
        raise CganError(f"{file} does not fit the network of {RECORD}; copy the folder again.")
    for variable in network.weights:
        variable.assign(arrays[variable.path].astype("float32"))


def _recipe(values):
    return Recipe(**{**values, "blocks": tuple(map(tuple, values["blocks"]))})


def probabilities(network, images, flip=False):
    """uint8 images [N, H, W, C] → softmax probabilities [N, classes], float32.

    flip: the mean over each image and its mirror image, for classes that know no left and right.
    """
    means = []
    for start in range(0, len(images), TEST_BATCH):
        chunk = np.asarray(images[start : start + TEST_BATCH])
        views = [chunk, chunk[:, :, ::-1]] if flip else [chunk]
        means.append(sum(_softmax(network, view) for view in views) / len(views))
    return np.concatenate(means).astype("float32")


def _softmax(network, images):
    logits = network.predict_on_batch(ops.convert_to_numpy(to_signed(images)))
    return ops.convert_to_numpy(ops.softmax(ops.cast(logits, "float32")))
