from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load

from cgan_utils.backend import keras
from cgan_utils.results import weights


@pytest.fixture
def network():
    network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), keras.layers.Dense(3)])
    rng = np.random.default_rng(0)
    for variable in network.variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def test_a_kernel_in_eight_bits_by_hand():
    kernel = np.array([[1.27, 0.0, -2.54], [-0.5, 0.0, 0.019]], "float32")
    small, scale = weights.quantised(kernel)
    np.testing.assert_allclose(scale, [0.01, 1, 0.02], rtol=1e-6)  # a channel of zeros stays one
    assert small.dtype == np.int8 and small.tolist() == [[127, 0, -127], [-50, 0, 1]]


def test_small_networks_keep_sixteen_bits_and_large_ones_eight(network, monkeypatch):
    original = {variable.path: np.asarray(variable.numpy()) for variable in network.variables}
    kernel, bias = (variable.path for variable in network.layers[0].variables)
    assert {array.dtype.name for array in load(weights.pack(network)).values()} == {"float16", "float32"}
    monkeypatch.setattr(weights, "LARGE", network.count_params() - 1)
    stored = load(weights.pack(network))
    assert stored[kernel].dtype == np.int8 and stored[f"{kernel}/scale"].shape == (4,)
    found = dict(weights.unpack(weights.pack(network)))
    assert found.keys() == original.keys() and {array.dtype.name for array in found.values()} == {"float32"}
    np.testing.assert_array_equal(found[bias], original[bias])
    assert (np.abs(found[kernel] - original[kernel]) <= stored[f"{kernel}/scale"] * 0.5001).all()
    assert (found[kernel] != original[kernel]).any()


def test_weights_that_are_no_numbers_are_stored_as_they_are(network, monkeypatch):
    monkeypatch.setattr(weights, "LARGE", 0)
    kernel = network.layers[0].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(dict(weights.unpack(weights.pack(network)))[kernel.path]).all()


@pytest.mark.parametrize("large", [0, 100])
@pytest.mark.parametrize("turn", [np.asfortranarray, lambda array: np.repeat(array, 2, axis=1)[:, ::2]])
def test_how_an_array_lies_in_memory_changes_nothing(turn, large, monkeypatch):
    """safetensors 0.8 writes the memory as it is: an array that is not in order "C" would come back scrambled."""
    monkeypatch.setattr(weights, "LARGE", large)
    kernel = np.array([[127, -3, 5], [1, 127, 127]], "float32")  # exact in sixteen bits and in eight
    turned = turn(kernel)
    assert not turned.flags.c_contiguous
    network = SimpleNamespace(variables=[SimpleNamespace(path="kernel", numpy=lambda: turned)])
    np.testing.assert_array_equal(dict(weights.unpack(weights.pack(network)))["kernel"], kernel)
    assert weights.compact(turned).flags.c_contiguous
