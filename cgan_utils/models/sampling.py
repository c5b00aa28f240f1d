"""Drawing images with a generator. One seed is one image, whatever else is drawn beside it."""

import numpy as np

from ..errors import CganError
from .architectures import LATENT
from .layers import to_uint8

SEEDS = 2**32  # how many there are
CHUNK = 64  # images per call of the network: bounds memory, and few shapes need compiling


def latent(seeds, size=LATENT):
    """Noise z ~ N(0, I) for each seed: float32 [len(seeds), size].

    RandomState's stream is frozen by NumPy's promise (NEP 19), so a seed means the same z in every version.
    Raises CganError for a seed that is no whole number from 0 to 4,294,967,295, all that RandomState knows.
    """
    seeds = checked_seeds(seeds)
    return np.stack([np.random.RandomState(seed).standard_normal(size) for seed in seeds]).astype("float32")


def checked_seeds(seeds):
    """The seeds as int64 [N]; raises CganError for one that does not exist, see `latent`."""
    for seed in seeds:
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < SEEDS:
            raise CganError(f"There is no seed {seed}; use whole numbers from 0 to {SEEDS - 1:,}.")
    return np.asarray(seeds, "int64")


def draw_signed(generator, labels, seeds):
    """Images of classes `labels` from `seeds`, both of length N: float32 [N, H, W, C] in [-1, 1].

    A generator that knows no classes ignores the labels.
    """
    return decode(generator, latent(seeds, generator.inputs[0].shape[-1]), labels)


def decode(generator, points, labels):
    """Images of classes `labels` from points [N, d] of the latent space: float32 [N, H, W, C] in [-1, 1]."""
    inputs = [np.asarray(points, "float32"), np.asarray(labels, "int32")][: len(generator.inputs)]
    chunks = range(0, len(points), CHUNK)
    return np.concatenate([generator.predict_on_batch([x[i : i + CHUNK] for x in inputs]) for i in chunks])


def checked_labels(labels, classes):
    """The labels as int32 [N]; raises CganError for one that is no whole number from 0 to classes - 1."""
    for label in labels:
        if not isinstance(label, int | np.integer) or isinstance(label, bool) or not 0 <= label < classes:
            raise CganError(f"There is no class number {label}; use whole numbers from 0 to {classes - 1}.")
    return np.asarray(labels, "int32")


def batches(generator, labels, seeds):
    """What `draw` returns, a part after the other: uint8 [up to CHUNK, H, W, C] each."""
    for i in range(0, len(seeds), CHUNK):
        yield to_uint8(draw_signed(generator, labels[i : i + CHUNK], seeds[i : i + CHUNK]))


def draw(generator, labels, seeds):
    """Images of classes `labels` from `seeds`, both of length N: uint8 [N, H, W, C]."""
    return np.concatenate(list(batches(generator, labels, seeds)))
