"""Folders of pictures, any number of any size: decoded once into one file of small images, then read piece by piece.

`prepare(folder, size)` writes that file into the cache; `mapped.MappedImages` is the array in it, without its memory.
"""

import hashlib
import itertools
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path

import numpy as np

from ..errors import CganError
from ..paths import cache_dir, expanded, forget_old
from . import pictures
from .archives import opened
from .index import Index
from .listing import list_pictures, not_read, shown
from .mapped import MappedImages
from .sources import DataError, Progress, one_line

CHUNK = 200  # pictures between two saves: what an interruption costs at most
NAMED = 5  # files that a report names, at most


@dataclass(frozen=True, eq=False)
class PreparedFolder:
    """What `prepare` made of a folder.

    `images`: `MappedImages`, uint8 [N, size, size, C], class by class and by file name, C = 1 if all are grey, else 3;
    `labels`: int32 [N], indices into `class_names`; `given`: [N], True where the folder says that an image is for
    testing, False where for training, None where it leaves that open; `left_out`: why a file could not be read, by its
    name; `files`: how many pictures there were; `deep`: how many of them had more than eight bits; `sides`: the
    shortest and the longest side of any, in pixels; `odd`: names of some that are very long, or far too small;
    `background`: what shows where a picture is transparent; `unread`: {ending: pictures that can't be read here};
    `extents`: the ranges by which the deep ones were scaled, see `pictures.extents_of`.
    """

    images: MappedImages
    labels: np.ndarray
    given: np.ndarray
    class_names: tuple[str, ...]
    left_out: dict[str, str]
    files: int
    deep: int
    sides: list
    odd: list
    background: str
    unread: dict[str, int] = field(default_factory=dict)
    extents: dict = field(default_factory=dict)

    @property
    def depth(self):
        """A sentence about pictures of more than eight bits; empty if there are none."""
        if not self.deep:
            return ""
        ranges = []
        for low, high, whole in self.extents.values():
            top = pictures.white([low, high, whole])
            ranges.append(f"0 to {top:,}" if top else f"{low:,.6g} to {high:,.6g}")
        have = "picture has" if self.deep == 1 else "pictures have"
        by_one = f", all by one range, {' and, of floats, '.join(ranges)}" if ranges else ""
        return f"{self.deep:,} {have} more than eight bits for a pixel, which are scaled to eight{by_one}."

    @property
    def report(self):
        """What a user should know of the files, in a sentence each; empty if all is as expected."""
        said = []
        if self.left_out:
            count, were = len(self.left_out), "was" if len(self.left_out) == 1 else "were"
            why = next(iter(self.left_out.values()))
            said.append(
                f"{count:,} of {self.files:,} files could not be read and {were} left out: {_named([*self.left_out])} "
                f"({why if count == 1 else f'the first one: {why}'})."
            )
        if self.unread:
            said.append(f"{not_read(self.unread)}.")
        if self.depth:
            said.append(self.depth)
        if self.odd:
            said.append(
                f"Some pictures are very long or very small, and little of them will be seen: {_named(self.odd)}."
            )
        return " ".join(said)

    def splits(self):
        """`x_train, y_train, x_test, y_test`, always shuffled alike.

        As the folder gives them; else every tenth image of a class is for testing, or, where no class has ten, the
        last image of the largest class. Every class has an image to learn from.
        """
        for_test, arrays = self.given == True, []  # noqa: E712 (None is neither)
        if not for_test.any():
            counts = np.bincount(self.labels)
            within_class = np.concatenate([np.arange(count) for count in counts])
            for_test = within_class % 10 == 9
            if not for_test.any():
                for_test[np.flatnonzero(self.labels == counts.argmax())[-1]] = True
        for chosen in (np.flatnonzero(~for_test), np.flatnonzero(for_test)):
            chosen = chosen[np.random.RandomState(0).permutation(len(chosen))]
            arrays += [self.images.view(chosen), self.labels[chosen]]
        return arrays


def _named(names):
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(shown, names[:NAMED])) + more


def prepare(folder, size, cache=None, progress=True, background="white", labels=None):
    """Turn the pictures of a folder into `size` × `size` images in the cache, unless they are there already.

    folder: of any form that `listing.list_pictures` reads, or a .zip of one; each picture as `pictures.read` shows it.
    cache: where the images go, by default `cache_dir()/folders`; every folder and size has a folder of its own there.
    progress: show a bar on standard error, where a person is watching and it takes more than two seconds.
    background: what shows through where a picture is transparent, a colour as CSS names it.
    labels: where the classes are, if not in sub-folders; see `list_pictures`.

    An interrupted preparation goes on where it stopped; if a file came, went or changed, there is a new version, and
    the one before stays for a training that reads it. What can't be read is left out: see `report`. Returns a
    `PreparedFolder`. Raises `DataError` for a folder of another form, for one without any readable picture (or a class
    without), and if the images can't be written.
    """
    if not isinstance(size, Integral) or size < 1:
        raise CganError(f"The size is {size!r}; it must be a whole number of pixels, at least 1.")
    pictures.check_colour(background)
    folder = expanded(folder)
    inside = opened(folder)
    try:
        listing = list_pictures(inside, labels)
    except DataError as error:  # of a .zip, the user knows its own place, not that in the cache
        raise DataError(str(error).replace(shown(inside), shown(folder))) from None
    store = _store(folder, size, cache)  # of a .zip itself: when it changes, it is unpacked to another place
    names = listing.class_names if listing.labelled else ()  # a table may give the same pictures other names
    stem = hashlib.sha256(ascii((background, listing.files, *names)).encode()).hexdigest()[:16]
    for attempt in itertools.count(1):
        path = store / (f"{stem}.json" if attempt == 1 else f"{stem}-{attempt}.json")
        index = Index.read(path, size, background)
        if not index.scaled_apart and not any(_can_be_read(inside / name) for name in index.refused):
            break  # else a new attempt, in files of its own: a training may still read the images of this one
    if not index.complete:
        with _writing(store):
            _decode(inside, listing, (size, background), path, index, progress)
    _refuse_unreadable(folder, listing, index)
    return _opened(index, path, size, listing.unread)


def versions(folder, size, cache=None):
    """What was prepared of a folder before and is still there, the last one first: a `PreparedFolder` each."""
    paths = sorted(_store(Path(folder), size, cache).glob("[!.]*.json"), key=lambda path: -path.stat().st_mtime)
    for path in paths:
        index = Index.read(path, size)
        if index.complete and index.groups:
            yield _opened(index, path, size)


def has_pictures(folder):
    """Whether a folder exists and directly holds a file that is named like a picture, .jpg or the like."""
    return Path(folder).is_dir() and any(map(pictures.is_picture, os.listdir(folder)))


def _store(folder, size, cache):
    """Where all versions of a folder in one size lie."""
    path = folder.resolve()
    place = hashlib.sha256(ascii((str(path), int(size))).encode()).hexdigest()[:8]
    return Path(cache or cache_dir() / "folders") / f"{shown(path.name)[:40]}-{size}-{place}"


def _can_be_read(path):
    """Whether the system lets us read a file; tried, since `os.access` knows nothing of access lists on Windows."""
    try:
        with open(path, "rb") as file:
            file.read()
    except OSError:
        return False
    return True


def _opened(index, index_path, size, unread=()):
    os.utime(index_path)  # so that it counts as used
    labels, given, counts = zip(*index.groups, strict=True)
    mapped = MappedImages(
        index_path.with_suffix(".uint8"), (index.rows, size, size, 3), channels=3 if index.colour else 1
    )
    return PreparedFolder(
        mapped,
        np.repeat(np.array(labels, "int32"), counts),
        np.repeat(np.array(given, object), counts),
        tuple(index.class_names),
        index.left_out,
        index.done,
        index.deep,
        index.sides,
        index.odd,
        index.background,
        dict(unread),
        index.extents or {},
    )


def _refuse_unreadable(folder, listing, index):
    """Raises if a class has no image, or none to learn from."""
    to_learn = {label for label, given, _ in index.groups if not given}
    for label in range(len(listing.class_names)):
        if label not in to_learn:
            name, files = shown(listing.class_names[label]), [file for file in listing.files if file.label == label]
            why = next(
                (
                    f" ({shown(file.path)}: {index.left_out[file.path]})"
                    for file in files
                    if file.path in index.left_out
                ),
                "",
            )
            raise DataError(f"{shown(folder)} has no readable picture of the class {name}{why}; replace them.")


def _decode(folder, listing, look, index_path, index, progress):
    """Decode the files that `index` lacks into the file beside it, each at its place; look: size and background."""
    images = index_path.with_suffix(".uint8")
    images.parent.mkdir(parents=True, exist_ok=True)
    if not index.done:
        for old in forget_old(images.parent.glob("[!.]*.json")):
            old.with_suffix(".uint8").unlink(missing_ok=True)
        images.touch()
    files = listing.files
    if index.extents is None:
        index.extents = _measured(folder, files)
    show = Progress(shown(folder.resolve().name), progress, _bar, delay=2)
    with images.open("r+b") as out:
        out.seek(index.rows * look[0] ** 2 * 3)
        while index.done < len(files):
            for file in files[index.done : index.done + CHUNK]:
                try:
                    picture = pictures.read(folder / file.path, *look, index.extents)
                except Exception as error:  # a damaged file can fail in any decoder, in any way
                    if getattr(error, "errno", None):  # decoders have none
                        index.refused.append(file.path)
                    index.left_out[file.path] = shown(one_line(error).replace(str(folder / file.path), file.path))
                else:
                    out.write(picture.pixels.tobytes())
                    index.note(file.path, picture)
                index.done += 1
                show(index.done, len(files))
            out.flush()
            os.fsync(out.fileno())
            index.write(index_path)
        out.truncate()
    readable = [(file.label, file.test) for file in files if file.path not in index.left_out]
    index.groups = [[*kind, len(list(some))] for kind, some in itertools.groupby(readable)]
    index.class_names = list(listing.class_names)
    index.write(index_path)


def _measured(folder, files):
    """The ranges of all pictures of more than eight bits together, see `pictures.extents_of`."""
    extents = {}
    for file in files:
        if Path(file.path).suffix.lower() not in pictures.SHALLOW:
            with suppress(Exception):  # what can't be read is left out, with its reason, when it is decoded
                extents = pictures.joined(extents, pictures.measure(folder / file.path))
    return extents


def _bar(done, total):
    return f"{'#' * (20 * done // total):.<20} {done:,} of {total:,} pictures"


@contextmanager
def _writing(store):
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The prepared images cannot be written to {shown(store)} ({one_line(error)}); make room there, or let "
            "CGAN_CACHE_DIR name another folder."
        ) from error
