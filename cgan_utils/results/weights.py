"""How the weights of a network are stored: as safetensors, in fewer bits than training needs.

    vectors (biases, normalisation)         float32
    kernels                                 float16
    kernels of large networks               int8, and for each place on the last axis a float32 scale, "<name>/scale"

All runs together have to stay small enough to be cloned. tests/test_results.py bounds what that changes in the images.
"""

import numpy as np
from safetensors.numpy import load, save

LARGE = 4_000_000  # parameters of the whole network
_HALF_MAX = float(np.finfo(np.float16).max)
_SCALE = "/scale"


def compact(array):
    """An array as a small network's is stored: kernels in float16, far less than a grey level away; else float32."""
    array = np.asarray(array, "float32", order="C")
    small = array.ndim > 1 and np.abs(array).max() < _HALF_MAX
    return array.astype("float16") if small else array


def quantised(array):
    """A kernel [..., n] in eight bits: int8 [..., n] and scale float32 [n]; their product is half a scale away at most.

    Symmetric linear quantisation, a scale per channel (Krishnamoorthi 2018, arXiv:1806.08342, section 2).
    """
    largest = np.abs(array).max(axis=tuple(range(array.ndim - 1)))
    scale = np.where(largest > 0, largest / 127, 1).astype("float32")
    return np.rint(array / scale).astype("int8"), scale


def pack(network):
    """A network's variables as the bytes of a safetensors file."""
    # In order "C": safetensors 0.8 writes an array as it lies in memory, and would silently scramble any other.
    arrays = {variable.path: np.asarray(variable.numpy(), "float32", order="C") for variable in network.variables}
    large = sum(array.size for array in arrays.values()) > LARGE
    stored = {}
    for name, array in arrays.items():
        if large and array.ndim > 1 and np.isfinite(array).all():
            stored[name], stored[name + _SCALE] = quantised(array)
        else:
            stored[name] = compact(array)
    return save(stored)


def unpack(content):
    """What `pack` made: pairs of name and float32 array, each made when its turn comes, since all together are large.

    Raises SafetensorError for other bytes.
    """
    stored = load(content)
    scales = {name.removesuffix(_SCALE): stored.pop(name) for name in list(stored) if name.endswith(_SCALE)}
    ones = np.float32(1)
    return ((name, np.multiply(stored.pop(name), scales.get(name, ones), dtype="float32")) for name in list(stored))
