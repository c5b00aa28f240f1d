"""Which pictures a folder holds, and of which class each one is: folders as people have them, walked to the bottom."""

import os
import re
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import one_line, reading
from .pictures import is_picture, is_unread
from .sources import DataError

TRAINS = ("train", "training")  # names of folders that divide, and are no classes
TESTS = ("test", "testing", "val", "valid", "validation", "dev")
FILES = ("file_name", "filename", "file", "image", "image_id", "img", "path", "id", "name")  # columns of a table
LABELS = ("label", "labels", "class", "target", "category", "fine_label")
FROM_NAME = "from-name"
LABEL_TABLES = ("metadata.csv", "labels.csv", "train.csv", "labels.txt", "metadata.jsonl")  # often beside pictures
PASSED_OVER = ("__MACOSX",)  # from a Mac's zip: copies that are no pictures, by the names of pictures


class File(NamedTuple):
    """A picture: the index of its class, its path in the folder, its bytes, its time of change, its part.

    `test`: whether it is for testing; None where the folder leaves that open.
    """

    label: int
    path: str
    size: int
    changed: int
    test: bool | None


@dataclass(frozen=True)
class Listing:
    """`class_names`; the `files`, class by class and by path; `unread`: {ending: pictures that can't be read here}.

    `labelled`: whether the classes come from a table, or from the names of the files.
    """

    class_names: tuple[str, ...]
    files: list[File]
    unread: dict[str, int]
    labelled: bool = False


def list_pictures(folder, labels=None):
    """Look through a folder of any of these forms → `Listing`.

        pictures                         all of one class, by the name of the folder
        <class>/…/pictures               two classes or more, at any depth within
        train/<class>/…, test/<class>/…  the same, divided as given; val, valid, validation and dev are for testing, too
        pictures, and a table of theirs  of the classes in metadata.csv, labels.csv or train.csv, in it or beside it

    labels: another table, a .csv of file names and classes, or "from-name": cat.0001.jpg is of the class cat.
    What is not named like a picture, hidden files and __MACOSX are passed over; pictures of a form that can't be read
    here, such as .heic, are counted in `Listing.unread`. Classes whose names are all numbers are in the order of the
    numbers, others in that of the names. Raises `DataError` for a folder of another form.
    """
    folder, unread = Path(folder), Counter()
    pictures, sub_folders = _contents(folder, unread)
    parts = [name for name in sub_folders if name.lower() in TRAINS + TESTS]
    if labels or len(sub_folders) < 2:
        labelled = _labelled(folder, labels)
        if labelled:
            return labelled
    if len(parts) > 1 and sum(name.lower() in TRAINS for name in parts) == 1:
        return _divided(folder, pictures, sub_folders, parts, unread)
    if not sub_folders:
        if not pictures:
            hint = f"{shown(folder)} has no pictures; put some into it, or into a sub-folder for each class."
            raise DataError(_only_others(folder, unread) or hint)
        return Listing((_readable(folder.resolve().name),), [File(0, *picture, None) for picture in pictures], unread)
    _refuse_mixed(folder, pictures, sub_folders)
    if len(sub_folders) == 1:
        inner = shown(folder / sub_folders[0])
        if _contents(folder / sub_folders[0], Counter())[1]:
            raise DataError(f"{shown(folder)} holds only the folder {shown(sub_folders[0])}; name {inner} itself.")
        raise DataError(
            f"{shown(folder)} has only one class sub-folder, {shown(sub_folders[0])}; put a second class beside it, "
            f"or, to train without classes, name {inner} itself."
        )
    names = in_order(sub_folders)
    files = [File(k, *file, None) for k, name in enumerate(names) for file in _class_files(folder, name, unread)]
    return Listing(tuple(map(_readable, names)), files, unread)


def _labelled(folder, labels):
    """The listing of a folder whose classes a table or the files' names give; None if no table is of all pictures."""
    unread, found = Counter(), []
    tables = [place / name for place in (folder, folder.resolve().parent) for name in LABEL_TABLES]
    tables = [Path(labels)] if labels else [table for table in tables if table.suffix == ".csv" and table.is_file()]
    if not tables:
        return None
    pictures = [(path.removeprefix("./"), *rest) for path, *rest in _class_files(folder, ".", unread)]
    for table in tables:
        class_of = _class_in_name if labels == FROM_NAME else _classes_in(table, required=bool(labels))
        found = [class_of(path) for path, *_ in pictures]
        if all(found):
            break
        if labels:
            path = pictures[found.index(None)][0]
            place = "its name" if labels == FROM_NAME else shown(labels)
            raise DataError(f"{shown(path)} of {shown(folder)} has no class in {place}; add it, or remove the picture.")
    else:
        return None
    names = in_order({*found})
    tops = {path.partition("/")[0].lower() for path, *_ in pictures}
    divided = tops <= {*TRAINS, *TESTS} and len(tops & {*TRAINS}) == 1 < len(tops)
    files = [
        File(names.index(name), *picture, picture[0].partition("/")[0].lower() in TESTS if divided else None)
        for name, picture in zip(found, pictures, strict=True)
    ]
    files.sort(key=lambda file: (file.label, file.test or False, file.path))
    return Listing(tuple(map(_readable, names)), files, unread, labelled=True)


def _class_in_name(path):
    """The class of cat.0001.jpg or cat (1).jpg, or None."""
    return re.sub(r"[\W_]*\d+\W*$", "", Path(path).stem) or None


def _classes_in(table, required):
    """What gives the class of a path by a table: of the path, the file's name, or that without its ending, or None."""
    import pandas as pd

    with reading(shown(table), DataError, "give a .csv of file names and classes"):
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
        low = [str(column).strip().lower() for column in rows.columns]
        file = next((low.index(name) for name in FILES if name in low), 0)
        label = next((low.index(name) for name in LABELS if name in low), 1 if len(low) == 2 else None)
        if label is None and required:
            raise ValueError(f"it has the columns {', '.join(low)}, and none is called label")
        classes = {} if label is None else dict(zip(rows.iloc[:, file], rows.iloc[:, label], strict=True))
    return lambda path: classes.get(path) or classes.get(Path(path).name) or classes.get(Path(path).stem)


def one_class_remarks(folder, listing):
    """Sentences, a list, about classes that a folder of one class seems to have: in a table, or in the files' names."""
    if len(listing.class_names) > 1:
        return []
    said, way = [], "give a .csv of the file name and the label of every picture as --labels"
    for place in (Path(folder), Path(folder).resolve().parent):
        tables = [name for name in LABEL_TABLES if (place / name).is_file()]
        if tables:
            said.append(
                f"The labels in {shown(place / tables[0])} are not read, and all pictures are one class; {way}."
            )
            break
    stems = [re.sub(r"[\W_]*\d+$", "", Path(file.path).stem) for file in listing.files]
    names = sorted({*stems})
    if 1 < len(names) <= len(stems) / 5 and all(names):  # cat.0001.jpg, dog.0001.jpg
        said.append(
            f"All pictures are taken as one class, though their names begin with {', '.join(map(shown, names[:3]))}"
            f"{', …' if len(names) > 3 else ''}; if those are classes, give --labels {FROM_NAME}."
        )
    return said


def in_order(names):
    """Names of classes in order: numbers by their size, if all are numbers, else from a to z."""
    return sorted(names, key=int) if all(map(str.isdecimal, names)) else sorted(names)


def shown(path):
    """A path as text that every terminal and file can hold, even if its name is not valid UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def not_read(unread):
    """A clause for the user about pictures of other forms. unread: {ending: how many}, one or more."""
    count, forms = sum(unread.values()), f"form{'s' * (len(unread) > 1)} {', '.join(sorted(unread))}"
    if count == 1:
        return f"1 picture in the {forms} can't be read here; save it as .jpg"
    return f"{count:,} pictures in the {forms} can't be read here; save them as .jpg"


def _only_others(folder, unread):
    return f"In {shown(folder)}, {not_read(unread)}." if unread else ""


def _divided(folder, pictures, sub_folders, parts, unread):
    """The listing of a folder that holds train/ and test/, each with the classes."""
    train = next(part for part in parts if part.lower() in TRAINS)
    others = sorted({*sub_folders} - {*parts})
    if others:
        raise DataError(
            f"{shown(folder)} has both {train} and {shown(others[0])}; if {shown(others[0])} is a class, move it into "
            f"{train}, and if {train} is one, give it another name."
        )
    _refuse_mixed(folder, pictures, sub_folders)
    inside = {}
    for part in parts:
        loose, inside[part] = _contents(folder / part, unread)
        if loose:
            place = shown(folder / part / loose[0][0])
            raise DataError(f"{place} is in no class; move the pictures there into their classes, or elsewhere.")
    names = in_order(inside[train])
    for part in parts:
        if surplus := sorted({*inside[part]} - {*names}):
            raise DataError(f"{shown(folder / part / surplus[0])} is a class that {train} has not; add it there.")
    if len(names) < 2:
        raise DataError(f"{shown(folder / train)} has not two class sub-folders; put each class into one of its own.")
    files = []
    for label, name in enumerate(names):
        for part in sorted(parts):
            if name in inside[part]:
                found = _class_files(folder, f"{part}/{name}", unread)
                files += [File(label, *file, part != train) for file in found]
    files.sort(key=lambda file: (file.label, file.test, file.path))
    return Listing(tuple(map(_readable, names)), files, unread)


def _refuse_mixed(folder, pictures, sub_folders):
    if pictures:
        raise DataError(
            f"{shown(folder)} has both pictures, such as {shown(pictures[0][0])}, and sub-folders, such as "
            f"{shown(sub_folders[0])}; move each picture into the sub-folder of its class, or, to train without "
            "classes, the sub-folders elsewhere."
        )


def _class_files(folder, name, unread):
    """(path in `folder`, bytes, time of change) of all pictures of a class, however deep; the others join `unread`."""
    found, others, seen, waiting = [], Counter(), set(), [name]
    while waiting:
        place = waiting.pop()
        real = os.path.realpath(folder / place)
        if real in seen:  # links can lead in circles
            continue
        seen.add(real)
        pictures, sub_folders = _contents(folder / place, others)
        found += [(f"{place}/{file}", *rest) for file, *rest in pictures]
        waiting += [f"{place}/{sub_folder}" for sub_folder in sub_folders]
    if not found:
        hint = f"The class folder {shown(folder / name)} has no images; fill it or remove it."
        raise DataError(_only_others(folder / name, others) or hint)
    unread.update(others)
    return sorted(found)


def _contents(folder, unread):
    """(name, bytes, time of change) of the pictures directly in a folder, and the names of its sub-folders.

    Those that can't be read here are counted in `unread`, by their ending.
    """
    pictures, sub_folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in PASSED_OVER:
                    continue
                try:
                    status = entry.stat()
                except OSError:  # a link that leads nowhere, or in a circle
                    continue
                if stat.S_ISDIR(status.st_mode):
                    sub_folders.append(entry.name)
                elif stat.S_ISREG(status.st_mode) and is_picture(entry.name):
                    pictures.append((entry.name, status.st_size, status.st_mtime_ns))
                elif stat.S_ISREG(status.st_mode) and is_unread(entry.name):
                    unread[Path(entry.name).suffix.lower()] += 1
    except OSError as error:
        raise DataError(f"The folder {shown(folder)} cannot be read: {one_line(error)}.") from error
    return sorted(pictures), sorted(sub_folders)


def _readable(name):
    """The name of a class; refused if it can't be written down, which a training would only notice at its end."""
    if not name.isprintable():  # what is not valid UTF-8 is not, nor is a line break
        raise DataError(f"The folder {shown(name)} has a name that can't be written as text; rename it.")
    return name
