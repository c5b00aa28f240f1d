"""The code that is shown of a network builds that network."""

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.models.architectures import ARCHITECTURES, Plane, Projected
from cgan_utils.models.keras_code import keras_code
from cgan_utils.models.networks import build, build_encoder, build_generator

SHAPES = {"dcgan": (64, 64, 3), "modelo_3": (32, 32, 3), "modelo_4": (32, 32, 3), "modelo_6": (32, 32, 3)}
NAMES = (  # one of each form
    *("modelo_1", "modelo_1_class_noise", "modelo_3_28px_input_dropout", "modelo_4", "modelo_5_lighter"),
    *("gan_ligera", "dcgan", "modelo_6", "modelo_6_28px", "autoencoder_2d_relu"),
)


def networks(name, dtype=None):
    row, shape = ARCHITECTURES[name], SHAPES.get(name, (32, 32, 3) if "modelo_5" in name else (28, 28, 1))
    if isinstance(row, Plane):
        return build_generator(name, 3, shape, dtype), build_encoder(name, 3, shape, dtype)
    return build(name, 3, shape, dtype)


def built(network, names=True):
    """The model that the code of a network makes."""
    variables, policy = {}, keras.config.dtype_policy()
    try:
        exec(keras_code(network, names), variables)
    finally:
        keras.config.set_dtype_policy(policy)
    return variables[network.name]


def arrays(network, count=2):
    """Inputs for a network: labels where it wants integers."""
    random = np.random.default_rng(0)
    made = [
        random.integers(0, 3, count) if part.dtype == "int32" else random.normal(size=(count, *part.shape[1:]))
        for part in network.inputs
    ]
    return made if len(made) > 1 else made[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_a_network_builds_it(name):
    for network in networks(name):
        twin = built(network)
        weights = {variable.path: variable for variable in network.weights}
        assert {variable.path for variable in twin.weights} == set(weights)
        for variable in twin.weights:
            variable.assign(weights[variable.path])
        inputs = arrays(network)
        expected, found = (np.asarray(model.predict_on_batch(inputs)) for model in (network, twin))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert len(twin.trainable_variables) == len(network.trainable_variables)


@pytest.mark.parametrize("name", ["modelo_1", "modelo_6_28px"])
def test_it_builds_the_network_without_names_and_in_another_precision(name):
    for network in networks(name, "mixed_bfloat16"):
        twin = built(network, names=False)
        assert twin.count_params() == network.count_params()
        policies = [sorted(layer.dtype_policy.name for layer in model.layers) for model in (network, twin)]
        assert policies[0] == policies[1]


def test_it_is_code_that_a_student_reads():
    generator, _ = networks("modelo_1")
    code = keras_code(generator)
    assert 'x = layers.Conv2DTranspose(128, 4, strides=2, padding="same")(x)\n' in code
    assert len(code.splitlines()) == len(generator.layers) + 4  # a line each, the imports and the model


def test_layers_of_this_package_are_imported():
    projected = next(name for name, row in ARCHITECTURES.items() if isinstance(row, Projected))
    _, discriminator = networks(projected)
    assert "from cgan_utils.models.projected import Augment, ClassSpread, SpectralConv\n" in keras_code(discriminator)


def test_a_network_with_two_outputs_and_a_layer_that_is_used_twice():
    layers = keras.layers
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    shared = layers.Dense(3, name="shared")
    inner = keras.Model(first, [layers.Dense(2, name="a")(first), layers.Dense(2, name="b")(first)], name="inner")
    left, right = inner(first)
    joined = layers.Concatenate(name="joined")([shared(first), shared(second), right, left])
    network = keras.Model([first, second], [joined, left], name="two")
    twin = built(network)
    twin.set_weights(network.get_weights())
    for found, expected in zip(*(model.predict_on_batch(arrays(network)) for model in (twin, network)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
