"""Data sets from what is in memory already: arrays, or pairs of an image and a label from any library."""

from dataclasses import replace

import numpy as np

from ..errors import CganError, reading
from .datasets import ImageDataset
from .pictures import as_rgb, check_colour

SLACK = 1e-3  # so far a value may lie outside a range: it was rounded, or an image was resized


def from_arrays(images, labels=None, class_names=None, name="arrays", test_share=0.1):
    """NumPy arrays as an `ImageDataset`, checked; a share of each class, the last ones, is for testing.

    images: [N, H, W] or [N, H, W, C] with C 1 or 3; uint8, or floats in [0, 1], in [-1, 1] or in [0, 255].
    labels: [N] integers from 0, [N] names, or one-hot rows [N, classes]; None: all of one class, 'any'.
    class_names: of the integers or columns, by default their numbers.
    Raises CganError, in one sentence, for anything else.
    """
    images, (labels, names) = as_uint8(images), as_labels(labels, class_names, len(images))
    if not 0 < test_share < 1:
        raise CganError(f"test_share is {test_share}; it must be between 0 and 1.")
    test = np.zeros(len(labels), bool)
    for label in range(len(names)):
        own = np.flatnonzero(labels == label)
        if not len(own):
            raise CganError(
                f"No image is of the class {names[label]}; add some, or number the labels without gaps, as "
                "np.unique(labels, return_inverse=True)[1] does."
            )
        test[own[len(own) - int(len(own) * test_share) :]] = True
    if not test.any():
        raise CganError(f"Of {len(labels)} images none is left to test on; give more, or a larger test_share.")
    return ImageDataset(
        name, images[~test], labels[~test], images[test], labels[test], tuple(names), folder=f"arrays called {name}"
    )


def from_pairs(pairs, class_names=None, name="pairs", background="white", **options):
    """An `ImageDataset` of pairs (image, label): a `tf.data.Dataset`, a PyTorch or a Hugging Face data set, a list.

    An image is whatever `np.asarray` turns into [H, W] or [H, W, C]; PyTorch's [C, H, W] is turned. PIL images may be
    of any mode: as in a folder, they are turned upright, laid on `background`, and have one channel if all are grey.
    A pair may be a dict whose first two entries are the image and the label. options: of `from_arrays`.
    Raises CganError if images have different sizes, or a PIL image can't be read.
    """
    from PIL import Image

    check_colour(background)
    images, labels, grey = [], [], True
    for i, pair in enumerate(pairs):
        image, label = list(pair.values())[:2] if isinstance(pair, dict) else pair
        if isinstance(image, Image.Image):
            with reading(f"The image of pair {i}", remedy="leave it out"):
                image = np.asarray(as_rgb(image, background))
            grey = grey and bool((image == image[..., :1]).all())
        else:
            image, grey = np.asarray(image), False
        if image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[2] not in (1, 3):
            image = image.transpose(1, 2, 0)
        images.append(image)
        labels.append(label if isinstance(label, str) else np.asarray(label)[()])
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        found = " and ".join(map(str, sorted(shapes)[:2]))
        raise CganError(f"All images must have one size; here are {found}." if found else "There is no pair in it.")
    images = np.stack([image[..., :1] for image in images] if grey else images)
    return replace(from_arrays(images, labels, class_names, name, **options), background=background)


def as_uint8(images):
    """Images in any of the usual ranges → uint8 [N, H, W, C]."""
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not len(images):
        raise CganError(f"Images are [N, H, W], or [N, H, W, C] with 1 or 3 channels, not {list(images.shape)}.")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iuf" or not np.isfinite(images).all():
        raise CganError(f"Images are numbers, all of them finite, not {images.dtype}.")
    low, high, fractions = float(images.min()), float(images.max()), images.dtype.kind == "f"
    if fractions and low >= -1 - SLACK and high <= 1 + SLACK:
        images = (images + 1) * 127.5 if low < -SLACK else images * 255.0
    elif low < -SLACK or high > 255 + SLACK or (fractions and high < 2):
        raise CganError(f"Images lie in [0, 1], [-1, 1] or [0, 255], not in [{low:.9g}, {high:.9g}]; scale them.")
    return np.rint(images.clip(0, 255)).astype(np.uint8)


def as_labels(labels, class_names, count):
    """Labels of any of the usual kinds → int32 [N], and the names of the classes."""
    if labels is None:
        return np.zeros(count, np.int32), tuple(class_names or ("any",))
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and (labels.sum(axis=1) == 1).all() and np.isin(labels, (0, 1)).all():
        class_names = class_names or [str(i) for i in range(labels.shape[1])]
        labels = labels.argmax(axis=1)
    if labels.shape != (count,):
        raise CganError(f"Labels are one for each of the {count} images, or one-hot rows, not {list(labels.shape)}.")
    if labels.dtype.kind in "UOS":
        labels = [label.decode() if isinstance(label, bytes) else str(label) for label in labels.tolist()]
        names = tuple(class_names or sorted(set(labels)))
        unknown = sorted(set(labels) - set(names))
        if unknown:
            raise CganError(f"{unknown[0]!r} is a label and not in class_names.")
        return np.array([names.index(label) for label in labels], np.int32), names
    if labels.dtype.kind not in "iu":
        raise CganError(f"Labels are integers or names, not {labels.dtype}.")
    names = tuple(class_names or map(str, range(int(labels.max()) + 1)))
    if labels.min() < 0 or labels.max() >= len(names):
        raise CganError(f"Labels go from 0 to {len(names) - 1}, not from {labels.min()} to {labels.max()}.")
    return labels.astype(np.int32), names
