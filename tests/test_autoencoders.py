import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensors import array, same, weights

from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.errors import CganError
from cgan_utils.lessons import autoencoders as autoencoder_plots
from cgan_utils.lessons.autoencoders import point_and_decode
from cgan_utils.models import autoencoders
from cgan_utils.models.autoencoders import Autoencoder, build_decoder, build_encoder, encode
from cgan_utils.models.layers import to_signed, to_uint8


@pytest.fixture
def plane():
    keras.utils.set_random_seed(0)
    game = Autoencoder(build_encoder(), build_decoder())
    game.compile(keras.optimizers.Adam(1e-3))
    return game


class TestPlane:
    def test_shapes_and_ranges(self):
        images = np.random.RandomState(0).uniform(-1, 1, (3, 28, 28, 1)).astype("float32")
        codes = array(build_encoder("relu")([images]))
        assert codes.shape == (3, 2)
        assert codes.min() >= 0
        drawn = array(build_decoder()([codes]))
        assert drawn.shape == (3, 28, 28, 1)
        assert np.abs(drawn).max() <= 1

    @pytest.mark.one_backend
    def test_parameters_by_hand(self):
        def convolution(inputs, filters, kernel):
            return (inputs * kernel**2 + 1) * filters

        encoder = convolution(1, 32, 3) + 3 * convolution(32, 32, 3) + convolution(32, 32, 2) + 2 * 4 * 32
        encoder += convolution(32, 16, 2) + convolution(16, 4, 2) + convolution(4, 1, 2) + (7 * 7 + 1) * 2
        assert build_encoder().count_params() == encoder == 34_889
        decoder = (2 + 1) * 4 + convolution(1, 4, 2) + convolution(4, 16, 2) + 4 * 16
        decoder += convolution(16, 32, 3) + 4 * convolution(32, 32, 3) + 4 * 32 + convolution(32, 1, 3)
        assert build_decoder().count_params() == decoder == 42_417

    def test_the_tables_are_what_is_built(self):
        sides = [layer.output.shape[1] for layer in build_encoder().layers if "Pool" in type(layer).__name__]
        assert sides == [14, 7]
        sides = [layer.output.shape[1] for layer in build_decoder().layers if "UpSampling" in type(layer).__name__]
        assert sides == [14, 28]

    def test_every_weight_gets_a_gradient(self, plane, garments):
        images = to_signed(garments.x_train[:32])
        own = plane.encoder.trainable_variables + plane.generator.trainable_variables
        _, _, (slopes,) = value_and_gradients(lambda: plane.error(images, training=True), [own])
        for variable, slope in zip(own, slopes, strict=True):
            assert np.abs(array(slope)).max() > 0, variable.path

    def test_the_loss_is_the_mean_squared_error(self, plane, garments):
        images = to_signed(garments.x_train[:8])
        (error,), codes = plane.error(images)
        expected = np.mean((array(plane.generator([codes])) - array(images)) ** 2)
        assert float(array(error)) == pytest.approx(expected, rel=1e-5)

    def test_training_lowers_the_error_and_follows_the_codes(self, plane, garments):
        history = plane.fit(garments.x_train, garments.y_train, batch_size=32, epochs=12, verbose=0).history
        assert history["squared_error"][-1] < history["squared_error"][0]
        assert not np.array_equal(array(plane.code_mean), [0, 0])
        assert (array(plane.code_std) > 0).all()
        assert array(plane.batch_losses).shape == (1, 1)

    def test_the_running_values_of_the_first_batch_are_its_own(self, plane, garments):
        images = garments.x_train[:32]
        codes = array(plane.encoder([to_signed(images)], training=True))
        plane.fit(images, garments.y_train[:32], batch_size=32, verbose=0)
        np.testing.assert_allclose(array(plane.code_mean), codes.mean(axis=0), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(array(plane.code_std), codes.std(axis=0), rtol=1e-3, atol=1e-4)

    def test_a_test_step_changes_nothing(self, plane, garments):
        before = weights(plane)[:-1]
        first, second = (plane.evaluate(garments.x_test, garments.y_test, return_dict=True, verbose=0) for _ in "ab")
        assert first == second
        assert same(before, weights(plane)[:-1])

    def test_pictures_are_of_the_same_places_each_time(self, plane):
        plane.code_mean.assign([3.0, -1.0])
        plane.code_std.assign([0.0, 0.0])
        one, other = plane.paint([0, 1], [5, 6])
        np.testing.assert_array_equal(one, other)
        expected = array(plane.generator([np.array([[3.0, -1.0]], "float32")]))
        assert np.abs(one - (expected[0] + 1) * 127.5).max() <= 1

    def test_what_is_kept(self, plane):
        assert plane.kept == {"generator.safetensors": plane.generator, "encoder.safetensors": plane.encoder}

    def test_encoding_in_parts_is_encoding_at_once(self, plane, garments):
        parts = encode(plane.encoder, garments.x_train[:20], batch_size=7)
        np.testing.assert_allclose(parts, array(plane.encoder([to_signed(garments.x_train[:20])])), atol=1e-5)

    @pytest.mark.parametrize("build", [build_encoder, build_decoder])
    def test_bad_input_is_refused_in_a_sentence(self, build):
        with pytest.raises(CganError, match="linear"):
            build("linaer")
        with pytest.raises(CganError, match="32×32×3"):
            build("linear", (32, 32, 3))
        assert autoencoders.ACTIVATIONS == ("linear", "relu")


class TestFigures:
    def test_a_cloud_shows_in_each_cell_the_image_nearest_to_its_centre(self):
        corners = np.array([[0.0, 0.0], [3.0, 3.0]] * 100)  # so many that no percentile leaves them out
        points = np.concatenate([corners, [[0.5, 2.5], [0.9, 2.6], [2.4, 0.5]]])
        images = np.zeros((len(points), 2, 2, 1), "uint8")
        images[-3:] = np.array([10, 20, 30], "uint8").reshape(3, 1, 1, 1)
        picture, place = autoencoder_plots.cloud(points, images, 3)
        assert place == (0, 3, 0, 3)
        cells = picture.reshape(3, 2, 3, 2)[:, 0, :, 0]
        np.testing.assert_array_equal(cells, [[10, 0, 0], [0, 0, 0], [0, 0, 30]])

    def test_the_decoded_grid_has_x_to_the_right_and_y_upwards(self, plane):
        x, y = [0.0, 5.0, 9.0], [-4.0, 4.0]
        picture = autoencoder_plots.decoded_grid(plane.generator, x, y)
        assert picture.shape == (56, 84, 1)
        corner = to_uint8(plane.generator([np.array([[9.0, 4.0]], "float32")]))[0]
        assert np.abs(picture[:28, 56:].astype(int) - corner).max() <= 1

    def test_every_figure_has_a_title_and_names_its_axes(self, garments):
        points = np.random.RandomState(0).standard_normal((len(garments.x_train), 2))
        spaces, names = {"one": points, "other": points}, garments.class_names
        history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.0, 1.5]})
        figures = [
            autoencoder_plots.planes(spaces, garments.y_train, names, "title"),
            autoencoder_plots.image_clouds(spaces, garments.x_train, "title"),
            autoencoder_plots.curves({"a": history}, {"loss": ("Loss", "nats")}, "title", best="loss"),
            autoencoder_plots.confusion(garments.y_train, garments.y_train, names, "title"),
        ]
        for figure in figures:
            titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
            assert "title" in titles
            assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
            plt.close(figure)

    def test_captions_tell_right_from_wrong(self, garments):
        chances = np.array([[0.9, 0.1], [0.75, 0.25]], "float32")
        figure = autoencoder_plots.predictions(garments.x_train[:2], [0, 1], chances, ["hat", "shoe"], "title")
        assert [text.get_text() for text in figure.axes[0].texts] == ["hat\n✓ 90%", "shoe\n→ hat 75%"]
        plt.close(figure)

    def test_the_sliders_choose_the_point_that_is_drawn(self, plane):
        view = point_and_decode(plane.generator, np.random.RandomState(0).standard_normal((100, 2)))
        before = bytes(view.image.value)
        view.first.value = view.first.max
        assert bytes(view.image.value) != before
        picture = np.asarray(Image.open(io.BytesIO(view.image.value)))
        point = np.array([[view.first.value, view.second.value]], "float32")
        drawn = to_uint8(plane.generator([point]))[0, ..., 0]
        assert np.abs(picture[::12, -336::12, 0].astype(int) - drawn).max() <= 1
