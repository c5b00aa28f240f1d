"""Drawing images with a generator. One seed is one image, whatever else is drawn beside it."""

import numpy as np

from .architectures import LATENT
from .layers import to_uint8

CHUNK = 64  # images per call of the network: bounds memory, and few shapes need compiling


def latent(seeds):
    """Noise z ~ N(0, I) for each seed: float32 [len(seeds), 100].

    RandomState's stream is frozen by NumPy's promise (NEP 19), so a seed means the same z in every version.
    """
    return np.stack([np.random.RandomState(seed).standard_normal(LATENT) for seed in seeds]).astype("float32")


def draw_signed(generator, labels, seeds):
    """Images of classes `labels` from `seeds`, both of length N: float32 [N, H, W, C] in [-1, 1]."""
    noise, labels = latent(seeds), np.asarray(labels, "int32")
    chunks = range(0, len(labels), CHUNK)
    return np.concatenate([generator.predict_on_batch([noise[i : i + CHUNK], labels[i : i + CHUNK]]) for i in chunks])


def draw(generator, labels, seeds):
    """As `draw_signed`, in uint8."""
    return np.asarray(to_uint8(draw_signed(generator, labels, seeds)))
