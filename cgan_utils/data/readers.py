"""Data sets in the forms in which they are published: which files belong together, and one `ImageDataset` of them.

What the files of each form hold, `formats` reads.
"""

import math
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import CganError, notice
from ..paths import expanded
from . import pictures
from .arrays import from_arrays, scaled_alike
from .formats import FORMS, KIND, PIECE, check_bytes, set_of
from .listing import in_order, shown
from .sources import DataError, naming

MANY_LABELS = "has several labels for a picture, and a model here learns one class of each; choose one in Python"


def form_of(path):
    """The name in `FORMS` of a file, or of the files in a folder that holds no pictures; None for everything else."""
    return next(iter(_found(expanded(path))), None)


def is_data(name):
    """Whether a file is named like one of the forms, or is what the names of classes are read from."""
    return name.lower() == "class_names.txt" or any(re.search(form, name, re.I) for form, _ in FORMS.values())


def read(path, size=32, background="white", source=None):
    """A published data set as an `ImageDataset`: its images cropped at their centres and scaled to size × size pixels.

    Files called train and test (val, dev, …) are divided so, others as `from_arrays` does it. background: what shows
    where a picture is transparent; source: the archive that `path` was unpacked from.
    Raises `DataError`, in one sentence, for files that are damaged or of another form.
    """
    path = expanded(path)
    source = source or path
    form, files = next(iter(_found(path).items()), (None, None))
    if not form:
        raise DataError(f"{shown(path)} is of no form that is known here; known are: {', '.join(FORMS)}.")
    try:
        with naming(shown(source)):
            parts, names = FORMS[form][1](files, size, background)
            parts, labels, names = _coded(parts, names)
            scaled = scaled_alike([part.images for part in parts])
            for_test = [part.test is True for part in parts]
            for_test = for_test if len({*for_test}) == 2 else len(parts) * [False]
            del parts  # else what was scaled stays in memory beside what it became
            data = []
            for wanted in sorted({*for_test}):
                own = [i for i, test in enumerate(for_test) if test == wanted]
                data.append((_joined([scaled[i] for i in own], size), np.concatenate([labels[i] for i in own])))
            del scaled
            name = re.split(r"(?<=.)\.", shown(source.resolve().name))[0]
            share = max(0.1, 1 / np.bincount(data[0][1]).max())  # a picture to test on, however small the classes are
            made = from_arrays(*data[0], names, name, min(share, 0.5), data[1] if len(data) == 2 else None)
    except DataError:
        raise
    except CganError as error:
        raise DataError(f"{shown(source)}: {error}") from None
    return replace(made, folder=str(source.resolve()), background=background)


def _found(path):
    """{form: {name within `path`: file}} of a file, or of a folder; nothing for a folder with pictures."""
    if path.is_file():
        found = _sorted_out({path.name: path})
        if found.keys() & {"idx", ".npz", ".npy"} and KIND.search(path.name.lower()):  # labels lie in another file
            form, mates = next(iter(found)), {file.name: file for file in path.parent.iterdir() if file.is_file()}
            mates = _sorted_out(mates).get(form, {})
            found[form] = {name: file for name, file in mates.items() if set_of(name) == set_of(path.name)}
        return found
    files = {}
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        if any(pictures.is_picture(name) or pictures.is_unread(name) for name in names):
            return {}
        files |= {(Path(folder) / name).relative_to(path).as_posix(): Path(folder) / name for name in sorted(names)}
    return _sorted_out(files)


def _sorted_out(files):
    found = {}
    for form, (pattern, _) in FORMS.items():
        own = {name: file for name, file in files.items() if re.search(pattern, name.rpartition("/")[2], re.I)}
        if own:
            found[form] = own
    return found


def _coded(parts, names):
    """The parts with labels, their indices [N] into the names, and the names of the classes that are there."""
    given = [part.labels for part in parts]
    if all(labels is None for labels in given):
        return parts, [np.zeros(len(part.images), np.int32) for part in parts], ("any",)
    for i, labels in enumerate(given):
        if labels is not None:
            given[i] = labels = np.asarray(labels)
            if labels.ndim == 2 and labels.shape[1] > 1:
                if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
                    raise CganError(f"The data set {MANY_LABELS}.")
                given[i] = labels.argmax(axis=1)
            given[i] = given[i].reshape(-1)
            if len(given[i]) != len(parts[i].images):
                raise ValueError(f"it has {len(parts[i].images)} images and {len(given[i])} labels")
            if given[i].dtype.kind == "f" and (given[i] == np.round(given[i])).all():
                given[i] = given[i].astype(np.int64)
            if given[i].dtype.kind not in "iu":
                given[i] = given[i].astype(str)
    kept = [i for i, labels in enumerate(given) if labels is not None]
    if len(kept) < len(parts):
        notice("A part of the data set has no labels, and is left out.")
    parts, given = [parts[i] for i in kept], [given[i] for i in kept]
    values = np.unique(np.concatenate(given))
    known = [str(value) for value in values]
    order = in_order(known)
    if names is not None and values.dtype.kind in "iu":
        if values[0] < 0 or values[-1] >= len(names):
            raise ValueError(f"its labels go from {values[0]} to {values[-1]}, and it names {len(names)} classes")
        if len(values) < len(names) and names[0]:
            notice(f"Of the {len(names)} classes that are named, {len(values)} have images; the others are left out.")
        order = known = [str(names[value]) for value in values]
    rank = np.array([order.index(name) for name in known])
    return parts, [rank[np.searchsorted(values, labels)] for labels in given], order


def _joined(parts, size):
    """Arrays of images as one, uint8 [N, size, size, C], written piece by piece."""
    from PIL import Image, ImageOps

    shape = (sum(map(len, parts)), size, size, max(images.shape[3] for images in parts))
    check_bytes(math.prod(shape))
    out, row = np.empty(shape, np.uint8), 0
    for images in parts:
        for start in range(0, len(images), PIECE):
            piece = images[start : start + PIECE]
            if piece.shape[1:3] != (size, size):
                flat = np.ascontiguousarray(piece[..., 0] if piece.shape[3] == 1 else piece)
                fitted = [ImageOps.fit(Image.fromarray(one), (size, size), Image.Resampling.LANCZOS) for one in flat]
                piece = np.stack(fitted).reshape(len(piece), size, size, -1)
            out[row : row + len(piece)] = piece
            row += len(piece)
    return out
