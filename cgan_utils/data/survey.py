"""What a folder of pictures holds, in words, before anything is trained on it."""

import hashlib

import numpy as np

from .archives import opened
from .folders import prepare
from .listing import list_pictures, shown

FEW, RARE = 20, 10  # a class of fewer pictures, or so many times rarer than the largest, is hardly learned
LISTED = 30  # classes that are counted one by one


def summary(data):
    """One line about an `ImageDataset`: how many images of what size, and the classes."""
    height, width, channels = data.shape
    names = ", ".join(data.class_names[:LISTED])
    if data.classes > LISTED:
        names += f", … and {data.classes - LISTED:,} more"
    return (
        f"{data.title}: {len(data.x_train):,} training and {len(data.x_test):,} test images of "
        f"{height}×{width}×{channels}, {data.classes} classes: {names}"
    )


def survey(folder, size=32, background="white", labels=None):
    """Sentences about a folder, a list: pictures of each class, their sides, and what may spoil a training.

    The folder is prepared as for a training (see `folders.prepare`, which says what it raises).
    """
    prepared = prepare(folder, size, background=background, labels=labels)
    counts = dict(zip(prepared.class_names, np.bincount(prepared.labels).tolist(), strict=True))
    said = [f"{shown(name)}: {count:,} pictures" for name, count in list(counts.items())[:LISTED]]
    if len(counts) > LISTED:
        said.append(f"… and {len(counts) - LISTED:,} more classes")
    low, high = prepared.sides
    said.append(f"The sides are of {low:,} to {high:,} pixels." if low < high else f"All sides are of {low:,} pixels.")
    if prepared.depth:
        said.append(prepared.depth)
    return [*said, *imbalance(counts), *duplicates(opened(folder), prepared, labels)]


def few_to_test_on(data):
    """A sentence, in a list, if most classes of an `ImageDataset` of several have no image to test on."""
    without = np.setdiff1d(np.arange(data.classes), np.asarray(data.y_test))
    if data.classes < 2 or len(without) <= data.classes / 2:
        return []
    count = f"{len(data.x_test):,} image{'s' * (len(data.x_test) > 1)}"
    of = f"{len(without):,} of the {data.classes:,} classes"
    return [f"{of} have no image to test on ({count} for testing in all); add some."]


def imbalance(counts):
    """Sentences about classes that are small, or far smaller than others. counts: {class name: pictures}."""
    few = [f"{shown(name)} ({count})" for name, count in counts.items() if count < FEW]
    largest = max(counts, key=counts.get)
    rare = [shown(name) for name, count in counts.items() if FEW <= count < counts[largest] / RARE]
    said = []
    if few:
        said.append(f"Too few to learn a class from, fewer than {FEW}: {_some(few)}.")
    if rare:
        said.append(f"More than {RARE} times rarer than {shown(largest)}, and so learned less: {_some(rare)}.")
    return said


def duplicates(folder, prepared, labels=None):
    """A sentence, in a list, if pictures are the same as others once they are scaled, in two classes above all."""
    names = [file.path for file in list_pictures(folder, labels).files if file.path not in prepared.left_out]
    first, same, between = {}, [], []
    for i, name in enumerate(names):
        pixels = hashlib.sha256(prepared.images[i].tobytes()).digest()  # not the images: they would fill the memory
        if pixels not in first:
            first[pixels] = i
            continue
        pair = f"{shown(name)} and {shown(names[first[pixels]])}"
        (same if prepared.labels[i] == prepared.labels[first[pixels]] else between).append(pair)
    said = [f"The same picture is in two classes: {_some(between)}."] if between else []
    return [*said, f"Pictures that are there twice: {_some(same)}."] if same else said


def _some(names, count=5):
    return ", ".join(names[:count]) + (f" and {len(names) - count:,} more" if len(names) > count else "")
