"""`load("mnist")` gives an `ImageDataset`: uint8 images [N, H, W, C], integer labels [N] and the names of the classes.

Files are looked for in this order: `CGAN_DATA_DIR/<name>.npz`, the Keras cache (`KERAS_HOME` or ~/.keras), our own
cache (`cache_dir()`); what is nowhere is downloaded into the last one. Folders of pictures are read by `folders`.
"""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import CganError, notice, unknown
from ..paths import cache_dir, expanded
from . import stand_ins
from .archives import is_archive, opened
from .folders import has_pictures, prepare, versions
from .formats import FORMS
from .image_dataset import ARRAYS, ImageDataset
from .known import CLASS_NAMES, FINGERPRINTS, NAMES, SHAPES, TITLES
from .listing import FROM_NAME, list_pictures, one_class_remarks, shown
from .pictures import check_colour, is_picture, is_unread
from .readers import form_of, read
from .sources import SOURCES, DataError, fetch, naming, read_cifar, read_idx, read_npz

CELEBA_MISSING = (
    "CelebA is not here and may not be passed on: fetch its aligned pictures from mmlab.ie.cuhk.edu.hk/projects/"
    "CelebA.html or Kaggle, for non-commercial research only, and put the folder img_align_celeba into the one that "
    "CGAN_DATA_DIR names, or there celeba64.npz, with images of 64x64 pixels as x_train; or give load() a folder of "
    "your own pictures, or stand_in=True to try things out."
)
# Where that folder may be in CGAN_DATA_DIR; the archive on Kaggle unpacks to one within another.
CELEBA_FOLDERS = ("celeba", "celeba/img_align_celeba", "img_align_celeba", "img_align_celeba/img_align_celeba")
# Where the Keras cache holds a data set (CIFAR under several names, packed or unpacked), and what reads the files.
_FORMATS = {
    "mnist": ("mnist.npz", read_npz),
    "fashion_mnist": ("fashion-mnist/*-ubyte.gz", read_idx),
    "cifar10": ("cifar-10-*py*", partial(read_cifar, "cifar10")),
    "cifar100": ("cifar-100-*py*", partial(read_cifar, "cifar100")),
}


def load(name, stand_in=False, *, size=32, background="white", labels=None):
    """Load a data set by its name (one of `NAMES`), or from a folder or .zip of pictures; see `list_pictures`.

    An .npz of a data set's name in CGAN_DATA_DIR may hold other images: then they are someone's own, and so called.
    Other data are read by their path, a file or a folder or archive of files, in the forms in which they are published:
    .npz (x_train, y_train; MedMNIST; KMNIST), MNIST's and EMNIST's idx, .csv of a label and pixels, .npy of each class,
    .parquet of Hugging Face, SVHN's .mat, CIFAR, STL-10, WebDataset; see `formats.FORMS`.

    stand_in: False for the real images, downloaded if need be; True for a small made-up set of the same shape and
    classes; "if_missing" for that one only where the real files are not on this machine, with a notice.
    size: height and width, in pixels, that images of one's own are cropped and scaled to. That takes a while the
    first time; what it had to leave out or change, a notice on standard error says.
    background: the colour that shows through where a picture is transparent; see `folders.prepare`.
    labels: of pictures in no class folders, a .csv of file names and classes, or "from-name"; see `list_pictures`.

    Returns an `ImageDataset`. Raises `CganError` for an unknown name, `DataError` for missing or damaged files.
    """
    if stand_in not in (False, True, "if_missing"):
        raise CganError(f'stand_in is {stand_in!r}; choose one of: False, True, "if_missing".')
    check_colour(background)
    if name not in NAMES:
        folder = _own_folder(name)
        if stand_in is True:
            raise CganError(f"The folder {folder} has no stand-in; leave stand_in out.")
        if folder.suffix.lower() == ".npz" and folder.is_file() and folder.stem in NAMES:
            return _user_arrays(folder.stem, folder)
        inside = opened(folder)
        if form_of(inside):
            if labels:
                raise CganError(f"{shown(folder)} has labels of its own; leave labels out.")
            return read(inside, size, background, source=folder)
        return _load_folder(folder, size, background=background, labels=labels)
    if stand_in == "if_missing":
        stand_in = not available(name)
        if stand_in:
            notice(f"{TITLES[name]} is not on this machine: a small stand-in takes its place.")
    if not stand_in:
        faces = None if _user_file(name) else _celeba_folder(name)
        return _load_folder(faces, 64, name) if faces else _load_real(name)
    arrays = stand_ins.draw(name, SHAPES[name], len(CLASS_NAMES[name]))
    return ImageDataset(name, *arrays, CLASS_NAMES[name], stand_in=True)


def available(name):
    """Whether the real files of a data set are on this machine; for a folder True, and CganError if it is missing."""
    if name not in NAMES:
        return bool(_own_folder(name))
    cached = [cache_dir() / name / file.name for file in _originals(name)]
    elsewhere = _user_file(name) or _celeba_folder(name) or _keras_files(name)
    return bool(elsewhere or (cached and all(path.is_file() for path in cached)))


def _originals(name):
    return [file for file in SOURCES if file.dataset == name]


def _load_real(name):
    path = _user_file(name)
    if path:
        return _user_arrays(name, path)
    if name == "celeba":
        raise DataError(CELEBA_MISSING)
    paths = _keras_files(name) or [fetch(file, cache_dir() / name) for file in _originals(name)]
    _, reader = _FORMATS[name]
    data = _dataset(name, reader(*paths), paths[0])
    if name in FINGERPRINTS and data.fingerprint != FINGERPRINTS[name]:
        raise DataError(f"{paths[0]} does not belong to the original {data.title}; delete it, and it is fetched again.")
    return data


def _user_arrays(name, path):
    """The data set in a file that the user provides: someone's own, unless it holds the original images and classes."""
    data = _dataset(name, read_npz(path), path)
    same = name not in FINGERPRINTS or data.fingerprint == FINGERPRINTS[name]
    if same and (name == "celeba" or data.class_names == CLASS_NAMES[name]):
        return data
    return replace(data, folder=str(path.resolve()))


def _user_file(name):
    """The .npz file that the user provides in CGAN_DATA_DIR, or None."""
    return _provided([f"{name}.npz"] + ["celeba64.npz"] * (name == "celeba"), Path.is_file)


def _celeba_folder(name):
    """The folder of faces that the user provides in CGAN_DATA_DIR, or None; there is none for another data set."""
    return _provided(CELEBA_FOLDERS if name == "celeba" else (), has_pictures)


def _provided(places, fits):
    """The first of these places in CGAN_DATA_DIR that fits, or None."""
    if not os.environ.get("CGAN_DATA_DIR"):
        return None
    folder = expanded(os.environ["CGAN_DATA_DIR"])
    if not folder.is_dir():
        raise DataError(f"CGAN_DATA_DIR names {folder}, which is not a folder; create it or unset the variable.")
    return next((folder / place for place in places if fits(folder / place)), None)


def _keras_files(name):
    """The paths of a data set in the Keras cache, in the order of `SOURCES`, or none unless all are there."""
    if name not in _FORMATS:
        return []
    pattern, _ = _FORMATS[name]
    root = expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "datasets"
    found, wanted = sorted(root.glob(pattern)), len(_originals(name))
    return found[:wanted] if len(found) >= wanted else []


def _dataset(name, arrays, path):
    """The arrays that `path` held as an `ImageDataset`; arrays of another form raise `DataError`."""
    with naming(path):
        if name == "celeba" and "x_train" in arrays and "y_train" not in arrays:
            arrays = _with_one_class(**arrays)
        missing = [key for key in ARRAYS if key not in arrays]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
        class_names = tuple(map(str, arrays.get("class_names", CLASS_NAMES[name])))
        checked = []
        for split in ("train", "test"):
            x = _checked_images(arrays[f"x_{split}"], SHAPES[name], split, path)
            checked += x, _checked_labels(arrays[f"y_{split}"], len(x), len(class_names), split, path)
    return ImageDataset(name, *checked, class_names)


def _with_one_class(x_train, **_):
    """Images without labels: the last tenth are for testing, and all are of one class."""
    cut, y = len(x_train) - len(x_train) // 10, np.zeros(len(x_train), np.int32)
    return {"x_train": x_train[:cut], "y_train": y[:cut], "x_test": x_train[cut:], "y_test": y[cut:]}


def _other_form(path, what):
    """The error for a file that is whole, and holds something else than is meant."""
    return DataError(f"In {path}, {what}; for images of your own, give arrays to cgan_utils.data.arrays.from_arrays.")


def _checked_images(x, shape, split, path):
    if x.ndim == 3 and shape[2] == 1:
        x = x[..., None]
    if x.dtype != np.uint8 or x.shape[1:] != shape or not len(x):
        raise _other_form(path, f"x_{split} is {x.dtype} {list(x.shape)}, not uint8 [N, {', '.join(map(str, shape))}]")
    return x


def _checked_labels(y, images, classes, split, path):
    y = y.reshape(-1)
    if y.dtype.kind not in "iu" or len(y) != images:
        raise _other_form(path, f"y_{split} is {y.dtype} [{len(y)}], not one integer for each of {images} images")
    if y.min() < 0 or y.max() >= classes:
        raise _other_form(path, f"y_{split} has labels from {y.min()} to {y.max()}, not 0 to {classes - 1}")
    return y.astype(np.int32)


def _own_folder(name):
    folder = expanded(name)
    if folder.is_dir() or is_archive(folder) or form_of(folder):
        return folder
    if "://" in str(name):
        raise CganError(
            f"{shown(name)} is an address on the net; download it, and give the folder or .zip of pictures."
        )
    if folder.is_file():
        raise CganError(f"{shown(folder)} is {_what(folder)}")
    if len(folder.parts) > 1:
        raise CganError(f"There is no folder and no .zip at {shown(folder.absolute())}; give where your pictures are.")
    place = f"No folder and no .zip of this name is in {shown(Path.cwd())} either"
    raise CganError(f"{unknown('data set', name, NAMES)} {place}; give the whole path of your pictures.")


def _what(file):
    """What a file is that is no folder, and what to do with it, as the end of a sentence."""
    if is_picture(file.name) or is_unread(file.name):
        return "one picture; give the folder that it is in."
    known = f"load() reads pictures in a folder, .zip or .tar, and {', '.join(FORMS)}"
    return f"of a form that is not known here; {known}. Give other data to cgan_utils.data.arrays.from_arrays."


def earlier(data):
    """A folder's data as they were before, as far as they are still in the cache: an `ImageDataset` each."""
    if data.folder:
        for prepared in versions(data.folder, data.shape[0]):
            yield _own_pictures(Path(data.folder), prepared, data.labels)


def _own_pictures(folder, prepared, labels=None):
    if np.bincount(prepared.labels).max() < 2:
        raise DataError(
            f"No class of {shown(folder)} has two pictures, one to learn from and one to test on; add some."
        )
    name = folder.resolve().name if folder.is_dir() else re.sub(r"(\.tar)?\.\w+$", "", folder.resolve().name)
    where = {"folder": str(folder.resolve()), "background": prepared.background, "labels": labels}
    return ImageDataset(shown(name), *prepared.splits(), prepared.class_names, **where)


def _load_folder(folder, size, name=None, background="white", labels=None):
    """A folder of pictures as an `ImageDataset`, under its own name or, with the usual classes, that of a data set."""
    if labels and labels != FROM_NAME:
        labels = str(expanded(labels).absolute())  # which a run notes down
        if not Path(labels).is_file():
            raise DataError(f"There is no table of labels at {labels}; give a .csv, or {FROM_NAME}.")
    prepared = prepare(folder, size, background=background, labels=labels)
    if prepared.report:
        notice(prepared.report)
    if not name and len(prepared.class_names) == 1:
        inside = opened(folder)
        for remark in one_class_remarks(inside, list_pictures(inside)):
            notice(remark)
    if name:
        return ImageDataset(name, *prepared.splits(), CLASS_NAMES[name])
    return _own_pictures(folder, prepared, labels)
