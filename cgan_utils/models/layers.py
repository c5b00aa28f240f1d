"""The blocks that all networks of the series share. Each takes Keras tensors and returns a Keras tensor.

Layers are named after their place, so that saved weights find their layer again.
"""

import numpy as np

from ..backend import keras
from .architectures import EMBEDDING

layers, ops = keras.layers, keras.ops

SLOPE = 0.2  # of LeakyReLU below zero


def to_signed(images):
    """uint8 images in [0, 255] → float32 in [-1, 1], the range of the generator's tanh."""
    return ops.cast(images, "float32") / 127.5 - 1.0


def to_uint8(images):
    """Images in [-1, 1] → uint8 in [0, 255], rounded to the nearest grey level. Inverse of `to_signed`.

    A NumPy array, wherever the images lie: `np.asarray` can't read the memory of a graphics card on PyTorch.
    """
    levels = ops.round((ops.cast(images, "float32") + 1.0) * 127.5)
    return ops.convert_to_numpy(ops.cast(ops.clip(levels, 0, 255), "uint8"))


def leaky_relu(x, name, slope=SLOPE):
    return layers.LeakyReLU(negative_slope=slope, name=f"{name}_relu")(x)


def label_map(label, classes, side):
    """Integer label [N] → one plane [N, side, side, 1] that says 'this class' to every pixel, learned per class."""
    x = layers.Embedding(classes, EMBEDDING, name="label_embedding")(label)
    x = layers.Dense(side * side, name="label_dense")(x)
    return layers.Reshape((side, side, 1), name="label_map")(x)


def class_noise(noise, label, classes):
    """Noise [N, d] ~ N(0, I) → z [N, d] ~ N(mean, root·rootᵀ) of each label, at first the noise itself; not trained."""
    size = noise.shape[-1]
    start = keras.initializers.Constant(np.tile(np.eye(size, dtype="float32").ravel(), (classes, 1)))
    mean = layers.Embedding(classes, size, "zeros", trainable=False, name="class_mean")(label)
    root = layers.Embedding(classes, size * size, start, trainable=False, name="class_root")(label)
    root = layers.Reshape((size, size), name="class_root_square")(root)
    return layers.Add(name="class_noise")([mean, layers.Dot((2, 1), name="class_turn")([root, noise])])


def latent_map(noise, side, filters, activate, momentum=None, slope=SLOPE, bias=True):
    """Noise [N, latent] → the small image [N, side, side, filters] that the generator starts from."""
    x = layers.Dense(filters * side * side, use_bias=bias, name="latent_dense")(noise)
    x = _normalised(x, momentum, "latent")
    if activate:
        x = leaky_relu(x, "latent", slope)
    return layers.Reshape((side, side, filters), name="latent_map")(x)


def up_block(x, filters, kernel, stride, momentum, name, slope=SLOPE, bias=True):
    """Transposed convolution ('same'), batch normalisation unless momentum is None, LeakyReLU."""
    x = layers.Conv2DTranspose(filters, kernel, strides=stride, padding="same", use_bias=bias, name=name)(x)
    return leaky_relu(_normalised(x, momentum, name), name, slope)


def down_block(x, filters, kernel, stride, momentum, activate, name, slope=SLOPE):
    """Convolution ('same'), batch normalisation unless momentum is None, LeakyReLU if `activate`."""
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", name=name)(x)
    x = _normalised(x, momentum, name)
    return leaky_relu(x, name, slope) if activate else x


def _normalised(x, momentum, name):
    return x if momentum is None else layers.BatchNormalization(momentum=momentum, name=f"{name}_norm")(x)
