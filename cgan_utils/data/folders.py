"""Folders of pictures, any number of any size: decoded once into one file of small images, then read piece by piece.

`prepare(folder, size)` writes that file into the cache, `MappedImages` is the array in it, without its memory.
"""

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from numbers import Integral
from pathlib import Path

import numpy as np

from ..errors import CganError
from ..paths import cache_dir
from .sources import DataError, Progress, one_line

CHUNK = 200  # pictures between two saves: what an interruption costs at most
NAMED = 5  # files that a report names, at most


class MappedImages:
    """Images in a file: like an array, uint8 [N, H, W, C], that reads only what it is asked for.

    `images[3]` and `images[[5, 2, 9]]`, with integers or booleans, are NumPy arrays of their own; `images[10:20]` is
    `MappedImages` again and reads nothing. Whatever else an array can do, `np.asarray(images)` can, which holds all.
    A file that is gone or too short raises `DataError`.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, path, shape, rows=None):
        """path: the raw pixels of images of `shape` [N, H, W, C]; rows: which of them, in order; None is all."""
        self.path, self._stored = Path(path), tuple(shape)
        self._rows = np.arange(shape[0]) if rows is None else rows

    @property
    def shape(self):
        return (len(self), *self._stored[1:])

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self.view(key)
        if isinstance(key, tuple):  # images[..., 0]
            return np.asarray(self)[key]
        return self._read(self._rows[key])

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An array of images that lie in a file is always a copy.")
        return self._read(self._rows).astype(dtype or self.dtype, copy=False)

    def view(self, key):
        """The images at a slice or at integers [M], in that order, as `MappedImages` [M, H, W, C]; reads nothing."""
        return MappedImages(self.path, self._stored, self._rows[key])

    def _read(self, rows):
        # Mapped anew each time: pages once read count as memory until the map is gone, in the end the whole file.
        try:
            stored = np.memmap(self.path, self.dtype, "r", shape=self._stored)
        except (OSError, ValueError) as error:
            raise DataError(
                f"The prepared images {self.path} are no longer whole; load their folder again, and they are made anew."
            ) from error
        return np.asarray(stored).take(rows, axis=0)


@dataclass(frozen=True, eq=False)
class PreparedFolder:
    """What `prepare` made of a folder.

    `images`: `MappedImages`, uint8 [N, size, size, 3], class by class and by file name; `labels`: int32 [N], indices
    into `class_names`; `left_out`: why a file could not be read, by its name; `files`: how many there were.
    """

    images: MappedImages
    labels: np.ndarray
    class_names: tuple[str, ...]
    left_out: dict[str, str]
    files: int

    @property
    def report(self):
        """One sentence about the files that were left out; empty if there were none."""
        if not self.left_out:
            return ""
        count, names = len(self.left_out), ", ".join(list(self.left_out)[:NAMED])
        were, more = "was" if count == 1 else "were", f" and {count - NAMED:,} more" if count > NAMED else ""
        return f"{count:,} of {self.files:,} files could not be read and {were} left out: {names}{more}."

    def splits(self):
        """`x_train, y_train, x_test, y_test`, always shuffled alike.

        Every tenth image of a class is for testing, or the very last one where no class has ten.
        """
        within_class = np.concatenate([np.arange(count) for count in np.bincount(self.labels)])
        for_test, arrays = within_class % 10 == 9, []
        for_test[-1] |= not for_test.any()
        for chosen in (np.flatnonzero(~for_test), np.flatnonzero(for_test)):
            chosen = chosen[np.random.RandomState(0).permutation(len(chosen))]
            arrays += [self.images.view(chosen), self.labels[chosen]]
        return arrays


def prepare(folder, size, cache=None, progress=True):
    """Turn the pictures of a folder into `size` × `size` RGB images in the cache, unless they are there already.

    folder: holds pictures, then all are of one class with the folder's name, or a sub-folder of pictures for each of
    two or more classes. Each picture is turned upright, cropped at its centre and scaled. Hidden files don't count.
    cache: where the images go, by default `cache_dir()/folders`; every folder and size has a folder of its own there.
    progress: show a bar on standard error, where a person is watching and it takes more than two seconds.

    An interrupted preparation goes on where it stopped; if a file came, went or changed, it starts again. What can't
    be read is left out: see `report`. Returns a `PreparedFolder`. Raises `DataError` for a folder of another form, for
    one without any readable picture (or a class without), and if the images can't be written.
    """
    if not isinstance(size, Integral) or size < 1:
        raise CganError(f"The size is {size!r}; it must be a whole number of pixels, at least 1.")
    folder = Path(folder)
    class_names, files = _listing(folder)
    images, index_path = _cache_files(folder, files, size, cache)
    index = _Index.read(index_path, images, size, len(files))
    if index.done < len(files):
        with _writing(images.parent):
            _decode(folder, files, size, images, index_path, index, progress)
    labels = np.array([label for label, name, *_ in files if name not in index.left_out], np.int32)
    for label in set(range(len(class_names))) - set(labels.tolist()):
        example, reason = next((name, index.left_out[name]) for k, name, *_ in files if k == label)
        raise DataError(
            f"{folder} has no readable picture of the class {class_names[label]} ({example}: {reason}); replace them."
        )
    mapped = MappedImages(images, (index.rows, size, size, 3))
    return PreparedFolder(mapped, labels, class_names, index.left_out, len(files))


def has_pictures(folder):
    """Whether a folder exists and directly holds a file that is named like a picture, .jpg or the like."""
    return Path(folder).is_dir() and _first_picture(os.listdir(folder)) is not None


def _listing(folder):
    """The names of the classes and (label, path in the folder, bytes, time of change) of every file, in order."""
    files, sub_folders = _contents(folder)
    if not sub_folders:
        if not files:
            raise DataError(f"{folder} has no pictures; put some into it, or into a sub-folder for each class.")
        return (folder.resolve().name,), [(0, *file) for file in files]
    if picture := _first_picture(name for name, *_ in files):
        raise DataError(
            f"{folder} has both pictures, such as {picture}, and sub-folders, such as {sub_folders[0]}; move each "
            "picture into the sub-folder of its class, or, to train without classes, the sub-folders elsewhere."
        )
    if len(sub_folders) == 1:
        raise DataError(
            f"{folder} has only one class sub-folder, {sub_folders[0]}; put a second class beside it, or, to train "
            f"without classes, name {folder / sub_folders[0]} itself."
        )
    listing = []
    for label, sub_folder in enumerate(sub_folders):
        files, _ = _contents(folder / sub_folder)
        if not files:
            raise DataError(f"The class folder {folder / sub_folder} has no images; fill it or remove it.")
        listing += [(label, f"{sub_folder}/{name}", *rest) for name, *rest in files]
    return tuple(sub_folders), listing


def _contents(folder):
    """(name, bytes, time of change) of the files in a folder, and the names of its sub-folders, without hidden ones."""
    files, sub_folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    sub_folders.append(entry.name)
                elif entry.is_file():
                    status = entry.stat()
                    files.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {one_line(error)}.") from error
    visible = [file for file in files if not file[0].startswith(".")]
    return sorted(visible), sorted(name for name in sub_folders if not name.startswith("."))


def _first_picture(names):
    """The first name that ends like a picture's and is not hidden, or None."""
    from PIL import Image

    endings = Image.registered_extensions()
    return next((name for name in names if Path(name).suffix.lower() in endings and not name.startswith(".")), None)


def _cache_files(folder, files, size, cache):
    """The paths of the images and of their index; the file name says of which files, so a changed folder has others."""
    path = folder.resolve()
    place = hashlib.sha256(ascii((str(path), int(size))).encode()).hexdigest()[:8]
    contents = hashlib.sha256()
    for file in files:
        contents.update(ascii(file).encode())
    store = Path(cache or cache_dir() / "folders") / f"{path.name[:40]}-{size}-{place}"
    stem = contents.hexdigest()[:16]
    return store / f"{stem}.uint8", store / f"{stem}.json"


@dataclass
class _Index:
    """How far a preparation is: files done, in the order of the listing, and which of them gave no image and why.

    It is written after the pixels that it speaks of, and whole or not at all; pixels beyond it are not read.
    """

    done: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self):
        return self.done - len(self.left_out)

    @classmethod
    def read(cls, path, images, size, total):
        """The index in a file; a new one if there is none, or if the images are not as long as it says."""
        try:
            index = cls(**json.loads(path.read_text()))
            surplus = images.stat().st_size - index.rows * size * size * 3
        except (OSError, ValueError, TypeError):
            return cls()
        return index if surplus == 0 or (surplus > 0 and index.done < total) else cls()

    def write(self, path):
        new = path.with_suffix(f".{os.getpid()}")  # another process may be at the same folder
        new.write_text(json.dumps(asdict(self)))
        os.replace(new, path)


def _decode(folder, files, size, images, index_path, index, progress):
    """Decode the files that `index` lacks into `images`, at the place of each."""
    images.parent.mkdir(parents=True, exist_ok=True)
    if not index.done:
        for old in images.parent.iterdir():
            if old.stem != images.stem:  # of the folder as it was before
                old.unlink(missing_ok=True)
        images.touch()
    show = Progress(folder.resolve().name, progress, _bar, delay=2)
    with images.open("r+b") as out:
        out.seek(index.rows * size * size * 3)
        while index.done < len(files):
            for _, name, *_ in files[index.done : index.done + CHUNK]:
                try:
                    pixels = _picture(folder / name, size)
                except Exception as error:  # a damaged file can fail in any decoder, in any way
                    index.left_out[name] = one_line(error)
                else:
                    out.write(pixels)
                index.done += 1
                show(index.done, len(files))
            out.flush()
            os.fsync(out.fileno())
            index.write(index_path)
        out.truncate()


def _picture(path, size):
    """The bytes of a picture as an RGB image: size × size × 3."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS).tobytes()


def _bar(done, total):
    return f"{'#' * (20 * done // total):.<20} {done:,} of {total:,} pictures"


@contextmanager
def _writing(store):
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The prepared images cannot be written to {store} ({one_line(error)}); make room there, or let "
            "CGAN_CACHE_DIR name another folder."
        ) from error
