"""Tensors of any backend as NumPy arrays."""

import numpy as np

from cgan_utils.backend import keras


def array(tensor):
    return np.array(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(tensor)))


def weights(network):
    return [array(weight) for weight in network.weights]


def same(first, second):
    """Whether two lists of arrays hold the same values."""
    return all(map(np.array_equal, first, second))
