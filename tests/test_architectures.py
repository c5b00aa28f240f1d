import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.models.architectures import ARCHITECTURES, LATENT, Projected
from cgan_utils.models.networks import build, build_encoder, multiply_adds

# Published parameter counts, all with three channels: name, classes, side, generator, discriminator.
PUBLISHED = [
    ("modelo_1", 10, 28, 1_187_642, 199_077),
    ("modelo_3_28px", 10, 28, 3_745_466, 1_132_677),
    ("modelo_3", 100, 32, 4_138_571, 1_137_897),
    ("modelo_4", 100, 32, 4_346_379, 1_137_897),
    ("modelo_5", 100, 32, 49_279_563, 4_415_721),
    ("modelo_5_light", 10, 32, 13_989_815, 4_411_221),
    ("modelo_5_lighter", 10, 32, 4_334_391, 1_133_397),
]
SMALL = ["tiny", "modelo_1", "modelo_3_28px"]


def inputs(shape, classes, count=4):
    random = np.random.RandomState(0)
    noise = random.standard_normal((count, 100)).astype("float32")
    images = random.uniform(-1, 1, (count, *shape)).astype("float32")
    return noise, images, np.arange(count, dtype="int32") % classes


@pytest.mark.one_backend
@pytest.mark.parametrize(("name", "classes", "side", "generator", "discriminator"), PUBLISHED)
def test_parameters_are_exactly_the_published_ones(name, classes, side, generator, discriminator):
    networks = build(name, classes, (side, side, 3))
    assert [network.count_params() for network in networks] == [generator, discriminator]


# By hand, with the channels of their data set: a dense layer's (100 + bias)·outputs, 4 per normalised channel, and
# k·k·(in)·(out) + bias per convolution.
LIGERA_GENERATOR = 100 * 12544 + 4 * 12544 + 25 * 256 * 128 + 4 * 128 + 25 * 128 * 64 + 4 * 64 + 25 * 64 + 1
LIGERA_DISCRIMINATOR = 26 * 64 + (25 * 64 + 1) * 128 + 7 * 7 * 128 + 1
DCGAN_GENERATOR = 101 * 1600 + (1601 * 512 + 2048) + (8193 * 256 + 1024) + (4097 * 128 + 512) + (2048 * 3 + 3)
DCGAN_DISCRIMINATOR = 49 * 64 + (1025 * 128 + 512) + (2049 * 256 + 1024) + 4097 + 17
UNCONDITIONAL = [
    ("gan_ligera", (28, 28, 1), LIGERA_GENERATOR, LIGERA_DISCRIMINATOR),
    ("dcgan", (64, 64, 3), DCGAN_GENERATOR, DCGAN_DISCRIMINATOR),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("name", "shape", "generator", "discriminator"), UNCONDITIONAL)
def test_parameters_of_the_unconditional_networks_by_hand(name, shape, generator, discriminator):
    networks = build(name, 1, shape)
    assert [network.count_params() for network in networks] == [generator, discriminator]


@pytest.mark.parametrize(("name", "shape"), [("gan_ligera", (28, 28, 1)), ("dcgan", (64, 64, 3))])
def test_unconditional_networks_take_no_label(name, shape):
    generator, discriminator = build(name, 1, shape)
    noise, _, _ = inputs(shape, 10)
    images = keras.ops.convert_to_numpy(generator([noise]))
    assert images.shape == (4, *shape)
    assert np.abs(images).max() <= 1
    assert discriminator([images]).shape == (4, 1)
    with pytest.raises(CganError, match=f"{shape[0]}×{shape[0]} pixels, not 16×16"):
        build(name, 1, (16, 16, 1))


@pytest.mark.one_backend
def test_the_twin_of_3x3_kernels_sees_as_far_as_the_one_of_5x5():
    """Light up one pixel of the first image: both generators must reach the same square of the drawing."""

    def reach(name):
        generator, _ = build(name, 1, (28, 28, 1))
        tail = keras.Model(generator.get_layer("latent_map").output, generator.output)
        point = np.zeros((2, 7, 7, 256), "float32")
        point[1, 3, 3] = 1
        dark, lit = keras.ops.convert_to_numpy(tail(point))[..., 0]
        return np.flatnonzero(np.abs(lit - dark).max(axis=0) > 0)

    wide, narrow = reach("gan_ligera"), reach("gan_ligera_3x3")
    assert abs(len(wide) - len(narrow)) <= 2  # where a stride doubles, the two round differently


# By hand: a dense layer's inputs·outputs, and k·k·(in)·(out) at each pixel of a convolution's output, of a transposed
# one's input; the label's plane is a dense layer, too.
MODELO_1_GENERATOR = 50 * 49 + 100 * 6272 + 16 * 129 * 128 * 49 + 16 * 128 * 128 * 196 + 64 * 128 * 784
MODELO_1_DISCRIMINATOR = 50 * 784 + 9 * 2 * 128 * 196 + 9 * 128 * 128 * 49 + 6272


@pytest.mark.one_backend
def test_multiply_adds_by_hand():
    networks = build("modelo_1", 10, (28, 28, 1))
    assert [*map(multiply_adds, networks)] == [MODELO_1_GENERATOR, MODELO_1_DISCRIMINATOR]


@pytest.mark.one_backend
def test_multiply_adds_of_what_learns_and_of_what_does_not():
    row = Projected(base=8, up=(6, 4), teacher=((5,), (7,)), head=64)
    _, discriminator = build(row, 10, (28, 28, 1))
    frozen = 9 * 1 * 5 * 784 + 9 * 5 * 7 * 196
    assert multiply_adds(discriminator, (False,)) == frozen
    assert multiply_adds(discriminator) == multiply_adds(discriminator, (True,)) + frozen


def test_the_encoder_ends_in_means_and_log_variances():
    encoder = build_encoder("tiny", 10, (28, 28, 1))
    _, images, labels = inputs((28, 28, 1), 10)
    assert encoder([images, labels]).shape == (4, 2 * LATENT)


@pytest.mark.parametrize("name", [*SMALL, "modelo_4"])
def test_shapes_and_ranges(name):
    shape = (32, 32, 3) if name == "modelo_4" else (28, 28, 1)
    generator, discriminator = build(name, 10, shape)
    noise, _, labels = inputs(shape, 10)
    images = keras.ops.convert_to_numpy(generator([noise, labels]))
    assert images.shape == (4, *shape)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    assert discriminator([images, labels]).shape == (4, 1)


@pytest.mark.parametrize("name", SMALL)
def test_the_label_changes_what_both_networks_say(name):
    generator, discriminator = build(name, 10, (28, 28, 1))
    noise, images, labels = inputs((28, 28, 1), 10)
    noise, images = np.repeat(noise[:1], 4, axis=0), np.repeat(images[:1], 4, axis=0)
    for network, first in ((generator, noise), (discriminator, images)):
        answers = keras.ops.convert_to_numpy(network([first, labels])).reshape(4, -1)
        for other in answers[1:]:
            assert np.abs(answers[0] - other).max() > 1e-6


def test_the_label_map_speaks_to_every_pixel_not_to_a_stripe():
    _, discriminator = build("tiny", 10, (28, 28, 1))
    layer = keras.Model(discriminator.input, discriminator.get_layer("label_map").output)
    maps = keras.ops.convert_to_numpy(layer([np.zeros((2, 28, 28, 1)), np.array([3, 4])]))
    assert ((maps[0] != maps[1]).mean()) > 0.99


def test_same_seed_same_weights():
    def weights():
        keras.utils.set_random_seed(5)
        return [weight for network in build("tiny", 10, (28, 28, 1)) for weight in network.get_weights()]

    for first, second in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_input_dropout_is_really_part_of_the_model():
    from dataclasses import replace

    row = replace(ARCHITECTURES["tiny"], input_dropout=0.75, output_dropout=0.0)
    _, discriminator = build(row, 10, (28, 28, 1))
    _, images, labels = inputs((28, 28, 1), 10)
    quiet = [keras.ops.convert_to_numpy(discriminator([images, labels], training=False)) for _ in range(2)]
    noisy = [keras.ops.convert_to_numpy(discriminator([images, labels], training=True)) for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    assert np.abs(noisy[0] - noisy[1]).max() > 1e-6


def test_output_is_float32_under_mixed_precision_and_the_policy_is_put_back():
    before = keras.config.dtype_policy().name
    generator, discriminator = build("tiny", 10, (28, 28, 1), dtype="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before
    assert generator.get_layer("up_1").compute_dtype == "bfloat16"
    assert generator.output.dtype == discriminator.output.dtype == "float32"


@pytest.mark.parametrize("shape", [(28, 32, 1), (30, 30, 1)])
def test_images_that_do_not_fit_are_refused_in_a_sentence(shape):
    with pytest.raises(CganError, match="divisible by 4"):
        build("modelo_1", 10, shape)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(CganError, match="modelo_4"):
        build("modelo4", 10, (28, 28, 1))


def test_a_network_that_there_is_not_gets_one_sentence():
    with pytest.raises(
        CganError, match="autoencoder_2d is an autoencoder without a discriminator; use build_generator"
    ):
        build("autoencoder_2d", 10, (28, 28, 1))
    with pytest.raises(CganError, match="dcgan is a GAN that has no encoder"):
        build_encoder("dcgan", 1, (64, 64, 3))
