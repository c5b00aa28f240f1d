"""Data sets from what is in memory already: arrays, or pairs of an image and a label from any library."""

import math
from dataclasses import replace

import numpy as np

from ..errors import CganError, notice, reading
from .image_dataset import ImageDataset
from .listing import in_order
from .pictures import DEEP, as_rgb, check_colour, eight_bits, extents_of, joined

SLACK = 1e-3  # so far a value may lie outside a range: it was rounded, or an image was resized
FAINT, DIM = 31, 127  # a largest value up to FAINT is taken for white; up to DIM, a notice asks whether it is
CHANNELS = (1, 3, 4)  # grey, RGB, RGBA
IMAGE, LABEL = ("image", "img"), ("label", "labels", "fine_label")  # what public data sets call their columns


def from_arrays(images, labels=None, class_names=None, name="arrays", test_share=0.1, test=None):
    """NumPy arrays as an `ImageDataset`, checked; a share of each class, the last ones, is for testing.

    images: [N, H, W], [N, H, W, C] or [N, C, H, W] with C 1, 3 or 4 (RGBA, laid on white), or rows [N, H·H];
    bool, uint8, uint16, or numbers in [0, 1], in [-1, 1] or in [0, 255]. Where no value is above 31 the
    largest is taken for white, and a notice says so; see `as_uint8`.
    labels: [N] integers from 0 or whole floats, [N] names, or one-hot rows [N, classes]; None: all of one class, 'any'.
    class_names: of the integers or columns, by default their numbers; a sequence, an array, or a dict's values.
    test: (images, labels) of an official test part, of the same kinds, which then takes the place of `test_share`.
    Raises CganError, in one sentence, for anything else.
    """
    if test is not None:
        images, labels, (more, others) = _both_parts(images, labels, test)
        images, more = scaled_alike([images, more])
        labels = labels if labels is None else np.concatenate([labels, others])
    else:
        images, more = as_uint8(images), ()
    count = len(images)
    labels, names = as_labels(labels, class_names, count + len(more))
    if not 0 < test_share < 1:
        raise CganError(f"test_share is {test_share}; it must be between 0 and 1.")
    for_test = np.arange(len(labels)) >= count
    for label in range(len(names)):
        own = np.flatnonzero(labels[:count] == label)
        if not len(own):
            raise CganError(
                f"No image is of the class {names[label]}; add some, or number the labels without gaps: "
                "names, labels = np.unique(labels, return_inverse=True), and give class_names=names."
            )
        if test is None:
            for_test[own[len(own) - int(len(own) * test_share) :]] = True
    if not for_test.any():
        raise CganError(f"Of {len(labels)} images none is left to test on; give more, or a larger test_share.")
    if test is None:
        images, more = images[~for_test], images[for_test]
    parts = images, labels[~for_test], more, labels[for_test]
    return ImageDataset(name, *parts, tuple(names), folder=f"arrays called {name}")


def _both_parts(images, labels, test):
    """The images and labels of the one part, and of the other, as arrays; refused unless they are of one kind."""
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise CganError("test is (images, labels), a tuple of two.")
    if (labels is None) != (test[1] is None):
        raise CganError("Both parts have labels, or none has; give those that are missing.")
    images, more = np.asarray(images), np.asarray(test[0])
    if (images.shape[1:], images.dtype) != (more.shape[1:], more.dtype):
        kinds = [f"{list(part.shape)} {part.dtype}" for part in (images, more)]
        raise CganError(f"The images to learn from are {kinds[0]}, those of the test {kinds[1]}; make them alike.")
    if labels is None:
        return images, None, (more, None)
    parts = np.asarray(labels), np.asarray(test[1])
    if parts[0].shape[1:] != parts[1].shape[1:] or len(parts[0]) != len(images) or len(parts[1]) != len(more):
        shapes = " and ".join(str(list(part.shape)) for part in parts)
        raise CganError(f"Labels are one for each image of their part, not {shapes}.")
    return images, parts[0], (more, parts[1])


def from_pairs(pairs, class_names=None, name="pairs", background="white", test=None, **options):
    """An `ImageDataset` of pairs (image, label): a `tf.data.Dataset`, a PyTorch or a Hugging Face data set, a list.

    An image is whatever `np.asarray` turns into [H, W] or [H, W, C]; PyTorch's [C, H, W] is turned. PIL images may be
    of any mode: as in a folder, they are turned upright, laid on `background`, and have one channel if all are grey;
    those of more than eight bits are scaled by one range. A pair may be a dict with an image ("image" or "img") and a
    label ("label", "labels" or "fine_label"). class_names: by default those that the data set itself knows.
    test: the pairs of an official test part. A dict of parts, as Hugging Face gives it, is taken with its
    train and its test, or else its validation; loaders may give batches. options: of `from_arrays`.
    Raises CganError if images have different sizes, a PIL image can't be read, or `pairs` is something else.
    """
    from PIL import Image

    check_colour(background)
    if isinstance(pairs, dict) and test is None and "train" in pairs:  # Hugging Face's DatasetDict
        test = next((pairs[part] for part in ("test", "validation") if part in pairs), None)
        pairs = pairs if test is None else pairs["train"]
    parts = [
        [_image_and_label(pair, i) for i, pair in enumerate(_listed(part))]
        for part in (pairs, test)
        if part is not None
    ]
    split = sum(parts, [])
    if not split:
        raise CganError("There is no pair in it.")
    n = len(parts[0])
    if _are_batches(split):
        n = sum(len(images) for images, _ in parts[0])
        split = [one for batch in split for one in zip(*map(np.asarray, batch), strict=True)]
    pictures = [image for image, _ in split]
    extents = {}
    for i, image in enumerate(pictures):
        if isinstance(image, Image.Image) and image.mode in DEEP:
            with reading(f"The image of pair {i}", remedy="leave it out"):
                extents = joined(extents, extents_of(image))
    images, labels, grey = [], [], True
    for i, (image, label) in enumerate(split):
        if isinstance(image, Image.Image):
            with reading(f"The image of pair {i}", remedy="leave it out"):
                image = np.asarray(as_rgb(image, background, extents))
            grey = grey and bool((image == image[..., :1]).all())
        else:
            image, grey = np.asarray(image), False
        if image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[2] not in (1, 3):
            image = image.transpose(1, 2, 0)
        images.append(image)
        labels.append(label if isinstance(label, str) else np.asarray(label)[()])
    if extents:
        notice("The pictures of more than eight bits for a pixel are scaled to eight, all by one range.")
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        found = " and ".join(map(str, sorted(shapes)[:2]))
        raise CganError(f"All images must have one size; here are {found}.")
    images = np.stack([image[..., :1] for image in images] if grey else images)
    if class_names is None:
        class_names = _known_names(pairs, labels)
    if test is not None:
        options["test"] = images[n:], labels[n:]
    return replace(from_arrays(images[:n], labels[:n], class_names, name, **options), background=background)


def _listed(pairs):
    """The pairs, one after the other; raises CganError for what people give in place of them."""
    if isinstance(pairs, dict):  # a DatasetDict too
        raise CganError(
            f"from_pairs takes one part, and this has {', '.join(map(str, pairs))}; give one of them by its name, "
            "and another one as test."
        )
    if hasattr(pairs, "iloc"):
        raise CganError("from_pairs takes no table; give the images and the labels in it to from_arrays.")
    arrays = isinstance(pairs, tuple) and len(pairs) == 2 and all(np.ndim(part) > 2 for part in pairs[:1])
    if isinstance(pairs, np.ndarray) or arrays:
        raise CganError("from_pairs takes pairs; give arrays to from_arrays(images, labels).")
    if isinstance(pairs, str) or not (hasattr(pairs, "__iter__") or hasattr(pairs, "__getitem__")):
        raise CganError(f"from_pairs takes pairs of an image and a label, not {type(pairs).__name__}.")
    if not hasattr(pairs, "__iter__") and hasattr(pairs, "__len__"):
        # Without __iter__, Python would ask until there is an IndexError, which a PyTorch data set need not raise.
        return (pairs[i] for i in range(len(pairs)))
    return pairs


def _are_batches(pairs):
    """Whether the pairs are those of a loader that gives several at a time: images [B, …] and labels [B] or [B, K].

    Grey images [B, H, W] with labels [B] have the shapes of one picture [C, H, W] with a one-hot label [C]. They are
    such pictures if every label is a one-hot row of the same length, which the labels of many batches never are.
    """
    if not all(getattr(part, "ndim", 0) for pair in pairs for part in pair):
        return False
    if not all(image.ndim in (3, 4) and len(image) == len(label) for image, label in pairs):
        return False
    labels = [np.asarray(label) for _, label in pairs]
    if any(image.ndim == 4 or label.ndim == 2 for (image, _), label in zip(pairs, labels, strict=True)):
        return True
    one_hot = len({len(label) for label in labels}) == 1 and all(
        np.isin(label, (0, 1)).all() and label.sum() == 1 for label in labels
    )
    return not one_hot


def _image_and_label(pair, i):
    if isinstance(pair, dict):
        found = [next((key for key in keys if key in pair), None) for keys in (IMAGE, LABEL)]
        if None in found:
            raise CganError(
                f"Pair {i} has the columns {', '.join(map(str, pair))}; call the image 'image' and the label 'label'."
            )
        return [pair[key] for key in found]
    if not isinstance(pair, (tuple, list)):
        raise CganError(f"Pair {i} is no pair, but one {type(pair).__name__}; give (image, label).")
    if len(pair) != 2:
        raise CganError(f"Pair {i} has {len(pair)} parts; give (image, label).")
    return pair


def _known_names(pairs, labels):
    """The names of classes that a data set of another library brings with it, or None."""
    found, source = [], pairs
    while source is not None:  # a loader or a Subset of PyTorch holds the data set that it gives a part of
        features = getattr(source, "features", None)  # Hugging Face
        if isinstance(features, dict):
            found += [getattr(features[key], "names", None) for key in LABEL if key in features]
        found.append(getattr(source, "classes", None))
        source = getattr(source, "dataset", None)
    names = next((names for names in found if isinstance(names, (list, tuple)) and len(names)), None)
    whole = all(np.ndim(label) == 0 and np.asarray(label).dtype.kind in "iu" for label in labels)
    if names is None or not whole or max(labels) >= len(names):
        return None
    return names[: int(max(labels)) + 1]


def as_uint8(images):
    """Images in any of the usual ranges → uint8 [N, H, W, C]; see `scaled_alike`."""
    return scaled_alike([images])[0]


def scaled_alike(parts):
    """Arrays of images in any of the usual ranges → a list of uint8 [N, H, W, C], all scaled by one range.

    Rows of pixels [N, H·H] and channels first [N, C, H, W] are turned; RGBA is laid on white. What is not in [0, 255],
    [0, 1] or [-1, 1], and was stretched, is said in a notice: bool and {0, 1}; a largest value up to 31, which becomes
    white; 16 bits (uint16), all by one range. Integers up to 127 stay as they are, with a notice, since photographs may
    be dark.
    """
    parts = [_channels_last(np.asarray(images)) for images in parts]
    for images in parts:
        if images.dtype.kind not in "biuf" or (images.dtype.kind == "f" and not np.isfinite(images).all()):
            raise CganError(f"Images are numbers, all of them finite, not {images.dtype}.")
    low, high = float(min(images.min() for images in parts)), float(max(images.max() for images in parts))
    kinds = {images.dtype for images in parts}
    scale, offset = 1.0, 0.0
    fractions = any(kind.kind == "f" for kind in kinds)
    if kinds == {np.dtype(np.uint16)} and high > 255:
        notice(f"The images have 16 bits, up to {high:,.0f}; they are scaled to eight, all by one range.")
        parts = [eight_bits(images, [low, high, True]) for images in parts]
    elif fractions and low >= -1 - SLACK and high <= 1 + SLACK:
        scale, offset = (127.5, 127.5) if low < -SLACK else (255.0, 0.0)
    elif low < -SLACK or high > 255 + SLACK or (fractions and high < 2):
        raise CganError(f"Images lie in [0, 1], [-1, 1] or [0, 255], not in [{low:.9g}, {high:.9g}]; scale them.")
    elif 0 < high <= FAINT:
        notice(f"The largest value of the images is {high:.4g}, and is taken for white (255).")
        scale = 255.0 / high
    elif high <= DIM and high:
        notice(f"The largest value of the images is {high:.4g} of 255; if it means white, divide them by it.")
    if scale != 1 or kinds != {np.dtype(np.uint8)}:
        parts = [np.rint((images * scale + offset).clip(0, 255)).astype(np.uint8) for images in parts]
    return [_on_white(images) if images.shape[3] == 4 else images for images in parts]


def _channels_last(images):
    """Images in the usual orders of axes → [N, H, W, C]."""
    shape = images.shape
    if images.ndim == 2 and shape[1] >= 16 and math.isqrt(shape[1]) ** 2 == shape[1]:
        images = images.reshape(len(images), *2 * (math.isqrt(shape[1]),))
    if images.ndim == 4 and shape[3] not in CHANNELS and shape[1] in CHANNELS:
        images = images.transpose(0, 2, 3, 1)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in CHANNELS or not len(images):
        raise CganError(f"Images are [N, H, W], or [N, H, W, C] with 1, 3 or 4 channels, not {list(shape)}.")
    return images


def _on_white(images):
    """RGBA, uint8 [N, H, W, 4] → uint8 [N, H, W, 3], white where they are transparent."""
    colour, alpha = images[..., :3].astype(np.float32), images[..., 3:].astype(np.float32) / 255
    return np.rint(colour * alpha + 255 * (1 - alpha)).astype(np.uint8)


def as_names(class_names):
    """Names of classes of any of the usual kinds → a tuple of str; None if there are none."""
    if class_names is None:
        return None
    if isinstance(class_names, dict):
        numbered = all(str(key).isdecimal() for key in class_names)  # as in medmnist: {"0": "melanoma", …}
        keys = sorted(class_names, key=int) if numbered else class_names
        class_names = [class_names[key] for key in keys]
    if isinstance(class_names, str) or not hasattr(class_names, "__iter__") or np.ndim(class_names) == 0:
        raise CganError(f"class_names is {class_names!r}; give a list of names.")
    names = tuple(str(name) for name in class_names)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CganError(f"The class name {twice} is there twice; give each class its own.")
    return names or None


def as_labels(labels, class_names, count):
    """Labels of any of the usual kinds → int32 [N], and the names of the classes."""
    class_names = as_names(class_names)
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
    if labels.dtype.kind == "f" and np.array_equal(labels, np.round(labels)):
        labels = labels.astype(np.int64)
    if labels.dtype.kind in "UOST":  # T: NumPy's StringDType
        labels = [label.decode() if isinstance(label, bytes) else str(label) for label in labels.tolist()]
        names = class_names or tuple(in_order(set(labels)))
        unknown = sorted(set(labels) - set(names))
        if unknown:
            raise CganError(f"{unknown[0]!r} is a label and not in class_names.")
        return np.array([names.index(label) for label in labels], np.int32), names
    if labels.dtype.kind not in "iu":
        raise CganError(f"Labels are integers or names, not {labels.dtype}.")
    names = class_names or tuple(map(str, range(int(labels.max()) + 1)))
    if labels.min() < 0 or labels.max() >= len(names):
        raise CganError(
            f"Labels go from 0 to {len(names) - 1}, not from {labels.min()} to {labels.max()}; number them from 0."
        )
    return labels.astype(np.int32), names
