"""The evaluators: for each data set one small classifier that looks at drawn images, trained here on the real ones.

What an evaluator sees is worth as much as its own test accuracy, which lies beside it in resultados/evaluadores/ with
the record of its training. Distances in its features are not the 'FID' of the literature, and compare only with those
of the same evaluator; see `evaluation`.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from ..backend import keras
from ..data.known import CLASS_NAMES, COUNTS, FINGERPRINTS
from ..errors import CganError, unknown
from ..models.classifier import Recipe
from ..models.layers import to_signed
from ..paths import shipped_folder
from .classifier import RECORD, Stacked

FOLDER, TEACHERS = "evaluadores", "maestros"
BATCH = 500

# What moves an image must not change its class: no digit is its own mirror image.
_GREY = Recipe(blocks=((32,), (64, 64), (128, 128, 128)), layer_epochs=0, epochs=24, patience=6, weight_decay=0.05)
COLOUR = replace(
    _GREY, blocks=((64,), (128, 128), (256, 256), (512,)), pooled=True, epochs=20, dropout=0.2, shift=3, flip=True
)
RECIPES = {
    "mnist": Recipe(layer_epochs=0, epochs=10),
    "fashion_mnist": replace(_GREY, shift=1, flip=True),
    "cifar10": COLOUR,
    "cifar100": replace(COLOUR, epochs=22, dropout=0.3, hole=8, smoothing=0.1),
}


class Evaluator(Stacked):
    """`Evaluator("mnist")` opens the shipped one of a data set, `Evaluator(path)` any folder that `train` wrote.

    `accuracy`: share of the real test images that it recognises, judged together with their mirror images where
    those are of the same class (`look` judges the image alone); `width`: numbers by which it describes an image;
    `sha256` of its weights. Raises CganError, in one sentence, if there is none, or if its files are damaged.
    """

    def __init__(self, name_or_path):
        path = Path(name_or_path)
        if not (path / RECORD).is_file():
            if str(name_or_path) not in available():
                raise CganError(unknown("evaluator", name_or_path, available()))
            path = Path(FOLDER) / path
        super().__init__(path)
        planes = self.network.get_layer("join").input  # what leaves the last block
        features = keras.layers.GlobalAveragePooling2D("channels_last", name="features")(planes)
        self.width, self.sha256 = features.shape[-1], self.record["sha256"]
        self.accuracy = float(self.scores["accuracy"].iloc[0])
        self._both = keras.Model(self.network.input, [features, self.network.output])

    def look(self, images):
        """uint8 images [N, H, W, C] → features [N, width], the means of the planes of the last block, and
        probabilities [N, classes]; both float32."""
        if images.shape[1:] != self.network.input.shape[1:]:
            wanted = "×".join(map(str, self.network.input.shape[1:]))
            raise CganError(f"The evaluator {self.path.name} looks at images of {wanted}, not {images.shape[1:]}.")
        seen = [self._see(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return tuple(np.concatenate(parts) for parts in zip(*seen, strict=True))

    def _see(self, images):
        features, logits = self._both.predict_on_batch(keras.ops.convert_to_numpy(to_signed(images)))
        return features, keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def available():
    """The names of the shipped evaluators."""
    return [file.parent.name for file in sorted((shipped_folder() / FOLDER).glob(f"*/{RECORD}"))]


def find_evaluator(data):
    """The evaluator that ships for a data set, or None: it knows the real images, no stand-in and no one's own folder.

    data: an `ImageDataset`, or an entry "data" of a run.json. An entry of as many images as the original has, or more,
    needs its fingerprint, too: older ones do not say that an .npz of its name held other images. Of fewer (a limited
    training) the fingerprint is another one in any case.
    """
    facts = data if isinstance(data, dict) else vars(data)
    name = facts["name"]
    path = shipped_folder() / FOLDER / name
    other = facts["stand_in"] or facts.get("folder")
    if isinstance(data, dict) and data.get("images", 0) >= COUNTS.get(name, np.inf):
        other = other or data.get("fingerprint") != FINGERPRINTS[name]
    if isinstance(data, dict) and name in CLASS_NAMES and "class_names" in data:
        other = other or tuple(data["class_names"]) != CLASS_NAMES[name]
    return _opened(path) if not other and (path / RECORD).is_file() else None


def find_teacher(data):
    """The classifier that ships for discriminators to look through (see `models.projected`), or None.

    It is not the evaluator: other widths, another seed. What judges a drawing must not have taught it.
    """
    path = shipped_folder() / TEACHERS / data.name
    return _opened(path) if not data.folder and (path / RECORD).is_file() else None


_opened = cache(Evaluator)
