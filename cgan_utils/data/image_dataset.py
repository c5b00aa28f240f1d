"""An `ImageDataset`: uint8 images [N, H, W, C], integer labels [N] and the names of the classes, in two parts."""

import hashlib
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral

import numpy as np

from ..errors import CganError, unknown
from .known import NAMES, TITLES
from .mapped import MappedImages

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images and labels, ready to train on.

    `x_train`, `x_test`: uint8 [N, H, W, C], 0 to 255; `y_train`, `y_test`: int32 [N], indices into `class_names`.
    The images of a folder are `MappedImages`: they lie in a file, and only those asked for are read.
    `stand_in` says that these are not the images of the data set that gave the name; `folder`, that they are someone's
    own, and so compared with no data set, whatever they are called: the absolute path of a folder, of an archive, of a
    file of data, or of an .npz with other images than the originals; or, from memory, "arrays called …". `background`
    is the colour that showed through where they are transparent. `labels` is None where folders, the files of data, or
    a table beside the pictures give the classes; else the absolute path of the .csv that gives them, or "from-name".
    A run.json keeps `folder`, `background` and `labels`, so that the same images can be loaded again.
    """

    name: str
    x_train: np.ndarray | MappedImages
    y_train: np.ndarray
    x_test: np.ndarray | MappedImages
    y_test: np.ndarray
    class_names: tuple[str, ...]
    stand_in: bool = False
    folder: str | None = None
    background: str = "white"
    labels: str | None = None

    @property
    def classes(self):
        """How many classes there are."""
        return len(self.class_names)

    @property
    def shape(self):
        """(H, W, C) of one image."""
        return self.x_train.shape[1:]

    @property
    def title(self):
        """The name for people; a stand-in, and a folder that is called like a data set, always say so."""
        if self.folder:
            return f"{self.name} (own pictures)" if self.name in NAMES else self.name
        return TITLES[self.name] + (" (stand-in)" if self.stand_in else "")

    @cached_property
    def fingerprint(self):
        """SHA-256 (hexadecimal) of the shapes, types and bytes of the four arrays."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            for i in range(0, len(array), 500):  # of `MappedImages`, only so many are ever in memory
                digest.update(np.ascontiguousarray(array[i : i + 500]).data)
        return digest.hexdigest()

    def limited(self, n):
        """The same data set with the first `n` training images and at most `n` test images; n < 1 raises.

        Where a class has none among them, its first image takes the place of the last one that its class can spare.
        With n below the number of classes, some stay without.
        """
        if n < 1:
            raise CganError(f"A data set needs at least one image, not {n}.")
        parts = {key: getattr(self, key)[:n] for key in ARRAYS}
        for split in ("train", "test"):
            images, labels = (getattr(self, f"{kind}_{split}") for kind in "xy")
            if (chosen := _of_each_class(labels, n)) is not None:
                view = images.view if isinstance(images, MappedImages) else images.__getitem__
                parts |= {f"x_{split}": view(chosen), f"y_{split}": labels[chosen]}
        return replace(self, **parts)

    def class_index(self, name_or_index):
        """The index of a class; see the function of the same name."""
        return class_index(name_or_index, self.class_names)


def _of_each_class(labels, n):
    """Indices of `n` labels, as far as possible the first, with each class among them; None if these have all."""
    classes, first = np.unique(labels, return_index=True)
    missing = first[first >= n]
    if not len(missing) or len(classes) > n:
        return None
    seen, spare = set(), []
    for i, label in enumerate(labels[:n].tolist()):
        spare += [i] if label in seen else []
        seen.add(label)
    return np.sort(np.append(np.delete(np.arange(n), spare[-len(missing) :]), missing))


def class_index(value, class_names):
    """The index in `class_names` of a class name (upper or lower case), an integer, or a string of digits.

    It is a name first, then an index: where classes are called 1, 2 and 10, both 1 and "1" are the first of them.
    A Mac writes ñ as n and an accent, a keyboard as one sign: both are the same here.
    Raises `CganError` for a class that does not exist.
    """
    text, *names = (unicodedata.normalize("NFC", str(name)) for name in (value, *class_names))
    if text in names:
        return names.index(text)
    # Spaces around a name are hard to see and often trimmed, in what is asked for or in what the run was given.
    text, *names = (name.strip() for name in (text, *names))
    lower = [name.lower() for name in names]
    if text in names:
        return names.index(text)
    if text.lower() in lower:
        return lower.index(text.lower())
    if not isinstance(value, Integral) and not text.removeprefix("-").isdecimal():
        raise CganError(unknown("class", value, class_names))
    if not 0 <= int(text) < len(class_names):
        raise CganError(f"There is no class number {text}; the numbers go from 0 to {len(class_names) - 1}.")
    return int(text)
