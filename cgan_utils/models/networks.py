"""The builders that turn a row of the table of architectures into networks."""

import contextlib
import math
from collections.abc import Callable
from typing import NamedTuple

from ..backend import channels_last, keras
from ..errors import CganError
from . import autoencoders, projected
from .architectures import LATENT, Architecture, Plane, Projected, Unconditional, architecture
from .layers import class_noise, down_block, label_map, latent_map, up_block

Input, layers = keras.Input, keras.layers

# Of the unconditional networks' batch normalisation. With Keras's 0.99 the running statistics, which the generator
# draws with outside training, need some hundred steps to settle; until then all drawings are grey.
MOMENTUM = 0.9


def build(name, classes, shape, dtype=None):
    """The two networks of architecture `name`, freshly initialised.

    classes: number of classes; shape: (side, side, channels) of an image; dtype: Keras dtype policy, by default
    the global one. An `Architecture` may be given in place of its name.

    Returns
        generator: ([N, 100] noise, [N] integer labels) → [N, side, side, channels] float32 in [-1, 1]
        discriminator: ([N, side, side, channels] images in [-1, 1], [N] labels) → [N, 1] float32 logits,
            of a `Projected` architecture [N, heads], a verdict of each head

    The networks of an unconditional architecture take no labels. Raises CganError for an unknown name, or images of
    a size that the network cannot draw.
    """
    row = _row(name, shape)
    if isinstance(row, Plane):
        raise CganError(f"{name} is an autoencoder without a discriminator; use build_generator and build_encoder.")
    kind = _BUILDERS[type(row)]
    with _settings(dtype):
        return kind.generator(row, classes, shape), kind.discriminator(row, classes, shape)


def build_generator(name, classes, shape, dtype=None):
    """The first of the two networks that `build` returns, for those who only want to draw."""
    row = _row(name, shape)
    with _settings(dtype):
        return _BUILDERS[type(row)].generator(row, classes, shape)


def build_encoder(name, classes, shape, dtype=None):
    """The encoder that belongs to architecture `name`, freshly initialised.

    Of a conditional one, for a variational autoencoder, it is the discriminator with another end:
    ([N, side, side, channels] images in [-1, 1], [N] labels) → [N, 200] float32, means and log-variances of z.
    """
    row = _row(name, shape)
    if _BUILDERS[type(row)].encoder is None:
        raise CganError(f"{name} is a GAN that has no encoder; use build for its two networks.")
    with _settings(dtype):
        return _BUILDERS[type(row)].encoder(row, classes, shape)


def multiply_adds(network, trainable=(True, False)):
    """Multiply-adds of one image through a network, one way; trainable=(True,): through the layers that learn alone.

    Each number of a kernel is used once at each pixel that the kernel is laid on: of the output, and in a transposed
    convolution of the input. Borders are counted like the inside; normalisation and activations are not.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer, trainable)
        elif hasattr(layer, "kernel") and layer.trainable in trainable:
            places = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
            total += math.prod(layer.kernel.shape) * math.prod(places.shape[1:-1])
    return total


def _row(name, shape):
    row = name if type(name) in _BUILDERS else architecture(name)
    height, width, _ = shape
    if isinstance(row, Unconditional):
        side = row.start * math.prod(stride for _, _, stride in row.up) * row.output[1]
        if (height, width) != (side, side):
            raise CganError(f"This network draws images of {side}×{side} pixels, not {height}×{width}; resize them.")
    elif isinstance(row, Projected):
        steps = 2 ** len(row.up)
        if height != width or height % steps:
            raise CganError(f"Images of {height}×{width} pixels don't fit; use square ones, side divisible by {steps}.")
    elif height != width or height % 4:
        raise CganError(f"Images of {height}×{width} pixels don't fit; use square ones with a side divisible by 4.")
    return row


def _generator(row, classes, shape):
    side, _, channels = shape
    noise, label = Input((LATENT,), name="noise"), Input((), dtype="int32", name="label")
    z = class_noise(noise, label, classes) if row.class_noise else noise
    start = latent_map(z, side // 4, row.base, row.base_activation)
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
    inputs, x = _seen(row, classes, shape)
    if row.output_dropout:
        x = layers.Dropout(row.output_dropout, seed=2, name="output_dropout")(x)
    return keras.Model(inputs, _verdict(x), name="discriminator")


def _encoder(row, classes, shape):
    inputs, x = _seen(row, classes, shape)
    return keras.Model(inputs, layers.Dense(2 * LATENT, name="posterior", dtype="float32")(x), name="encoder")


def _seen(row, classes, shape):
    """The inputs [image, label] and what the convolutions make of them, flat."""
    image, label = Input(shape, name="image"), Input((), dtype="int32", name="label")
    seen = layers.Dropout(row.input_dropout, seed=1, name="input_dropout")(image) if row.input_dropout else image
    x = layers.Concatenate(name="join")([seen, label_map(label, classes, shape[0])])
    last = len(row.down)
    for i, (filters, kernel, stride) in enumerate(row.down, start=1):
        momentum = row.discriminator_momentum if 1 < i < last else None
        x = down_block(x, filters, kernel, stride, momentum, i < last or row.last_activation, f"down_{i}")
    return [image, label], layers.Flatten(name="flatten")(x)


def _verdict(x):
    return layers.Dense(1, name="verdict", dtype="float32")(x)


def _unconditional_generator(row, _, shape):
    noise = Input((LATENT,), name="noise")
    momentum = MOMENTUM if row.start_norm else None
    x = latent_map(noise, row.start, row.base, row.start_norm, momentum, row.slope, row.up_bias)
    for i, (filters, kernel, stride) in enumerate(row.up, start=1):
        x = up_block(x, filters, kernel, stride, MOMENTUM, f"up_{i}", row.slope, row.up_bias)
    kernel, stride = row.output
    x = layers.Conv2DTranspose(shape[2], kernel, strides=stride, padding="same", name="pixels")(x)
    return keras.Model([noise], layers.Activation("tanh", name="tanh", dtype="float32")(x), name="generator")


def _unconditional_discriminator(row, _, shape):
    x = image = Input(shape, name="image")
    last = len(row.down)
    for i, (filters, kernel, stride) in enumerate(row.down, start=1):
        momentum = MOMENTUM if row.down_norm and 1 < i < last else None
        x = down_block(x, filters, kernel, stride, momentum, i < last or row.last_activation, f"down_{i}", row.slope)
        if row.dropout:
            x = layers.Dropout(row.dropout, seed=i, name=f"dropout_{i}")(x)
    return keras.Model([image], _verdict(layers.Flatten(name="flatten")(x)), name="discriminator")


class Kind(NamedTuple):
    """The builders of a kind of row, each of (row, classes, shape); None where it has no such network."""

    generator: Callable
    discriminator: Callable | None
    encoder: Callable | None


_BUILDERS = {
    Architecture: Kind(_generator, _discriminator, _encoder),
    Projected: Kind(projected.build_generator, projected.build_discriminator, encoder=None),
    Unconditional: Kind(_unconditional_generator, _unconditional_discriminator, encoder=None),
    Plane: Kind(
        generator=lambda row, _, shape: autoencoders.build_decoder(row.code, shape),
        discriminator=None,
        encoder=lambda row, _, shape: autoencoders.build_encoder(row.code, shape),
    ),
}


@contextlib.contextmanager
def _settings(dtype):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype or previous)
    try:
        with channels_last():
            yield
    finally:
        keras.config.set_dtype_policy(previous)
