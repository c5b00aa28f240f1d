"""The one builder that turns a row of the table of architectures into a generator and a discriminator."""

import contextlib

from .architectures import LATENT, Architecture, architecture
from .backend import keras
from .errors import CganError
from .layers import down_block, label_map, latent_map, up_block

Input, layers = keras.Input, keras.layers


def build(name, classes, shape, dtype=None):
    """The two networks of architecture `name`, freshly initialised.

    classes: number of classes; shape: (side, side, channels) of an image; dtype: Keras dtype policy, by default
    the global one. An `Architecture` may be given in place of its name.

    Returns
        generator: ([N, 100] noise, [N] integer labels) → [N, side, side, channels] float32 in [-1, 1]
        discriminator: ([N, side, side, channels] images in [-1, 1], [N] labels) → [N, 1] float32 logits

    Raises CganError for an unknown name, or images that are not square with a side divisible by 4.
    """
    row = _row(name, shape)
    with _dtype_policy(dtype):
        return _generator(row, classes, shape), _discriminator(row, classes, shape)


def build_generator(name, classes, shape, dtype=None):
    """The first of the two networks that `build` returns, for those who only want to draw."""
    row = _row(name, shape)
    with _dtype_policy(dtype):
        return _generator(row, classes, shape)


def _row(name, shape):
    height, width, _ = shape
    if height != width or height % 4:
        raise CganError(f"Images of {height}×{width} pixels don't fit; use square ones with a side divisible by 4.")
    return name if isinstance(name, Architecture) else architecture(name)


def _generator(row, classes, shape):
    side, _, channels = shape
    noise, label = Input((LATENT,), name="noise"), Input((), dtype="int32", name="label")
    start = latent_map(noise, side // 4, row.base, row.base_activation)
    x = layers.Concatenate(name="join")([start, label_map(label, classes, side // 4)])
    for i, (filters, kernel, stride) in enumerate(row.up, start=1):
        x = up_block(x, filters, kernel, stride, row.generator_momentum, f"up_{i}")
    draw = {"conv": layers.Conv2D, "deconv": layers.Conv2DTranspose}[row.output]
    x = draw(channels, row.output_kernel, padding="same", name="pixels")(x)
    # Images and verdicts are float32 in any policy. The convolution before need not be: its rounding moves a pixel by
    # less than a grey level, and with a single output channel it takes a third of a float32 step.
    image = layers.Activation("tanh", name="tanh", dtype="float32")(x)
    return keras.Model([noise, label], image, name="generator")


def _discriminator(row, classes, shape):
    image, label = Input(shape, name="image"), Input((), dtype="int32", name="label")
    seen = layers.Dropout(row.input_dropout, seed=1, name="input_dropout")(image) if row.input_dropout else image
    x = layers.Concatenate(name="join")([seen, label_map(label, classes, shape[0])])
    last = len(row.down)
    for i, (filters, kernel, stride) in enumerate(row.down, start=1):
        momentum = row.discriminator_momentum if 1 < i < last else None
        x = down_block(x, filters, kernel, stride, momentum, i < last or row.last_activation, f"down_{i}")
    x = layers.Flatten(name="flatten")(x)
    if row.output_dropout:
        x = layers.Dropout(row.output_dropout, seed=2, name="output_dropout")(x)
    logit = layers.Dense(1, name="verdict", dtype="float32")(x)
    return keras.Model([image, label], logit, name="discriminator")


@contextlib.contextmanager
def _dtype_policy(dtype):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype or previous)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)
