"""The autoencoder of the plane: an encoder turns an image into two numbers, a decoder turns them back into an image."""

import numpy as np

from ..backend import keras, no_gradients
from ..errors import CganError, unknown
from .game import EncoderDecoder
from .layers import to_signed, to_uint8
from .sampling import decode, latent

Input, layers, ops = keras.Input, keras.layers, keras.ops

CODE = 2  # numbers that stand for an image
SHAPE = (28, 28, 1)  # the only images that these tables fit
ACTIVATIONS = ("linear", "relu")
MOMENTUM = 0.9  # of batch normalisation; Keras's 0.99 would describe, for some hundred steps, images of long ago


def build_encoder(code="linear", shape=SHAPE):
    """Images [N, 28, 28, 1] in [-1, 1] → points of the plane [N, 2], float32.

    code: activation of the two numbers, 'linear' or, as it was published, 'relu'. Raises CganError for another one,
    or for images of another shape.
    """
    _check(code, shape)
    image = Input(SHAPE, name="image")
    x = _convolution(image, 32, 3, "encoder_1")
    x = _convolution(x, 32, 3, "encoder_2")
    x = layers.MaxPooling2D(2, name="encoder_3")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="encoder_4_norm")(x)
    x = _convolution(x, 32, 3, "encoder_5")
    x = _convolution(x, 32, 3, "encoder_6")
    x = _convolution(x, 32, 2, "encoder_7")
    x = layers.MaxPooling2D(2, name="encoder_8")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="encoder_9_norm")(x)
    x = _convolution(x, 16, 2, "encoder_10")
    x = _convolution(x, 4, 2, "encoder_11")
    x = _convolution(x, 1, 2, "encoder_12")
    x = layers.Flatten(name="flatten")(x)
    return keras.Model([image], layers.Dense(CODE, code, name="code", dtype="float32")(x), name="encoder")


def build_decoder(code="linear", shape=SHAPE):
    """Points of the plane [N, 2] → images [N, 28, 28, 1] in [-1, 1], float32; the same for either code."""
    _check(code, shape)
    point = Input((CODE,), name="point")
    x = layers.Dense(4, name="start", activation="relu")(point)
    x = layers.Reshape((2, 2, 1), name="start_map")(x)
    x = _convolution(x, 4, 2, "decoder_1")
    x = _convolution(x, 16, 2, "decoder_2")
    x = layers.BatchNormalization(momentum=MOMENTUM, name="decoder_3_norm")(x)
    x = layers.UpSampling2D(7)(x)  # each pixel becomes 7×7 equal ones
    x = _convolution(x, 32, 3, "decoder_5")
    x = _convolution(x, 32, 3, "decoder_6")
    x = _convolution(x, 32, 3, "decoder_7")
    x = layers.BatchNormalization(momentum=MOMENTUM, name="decoder_8_norm")(x)
    x = layers.UpSampling2D(2)(x)
    x = _convolution(x, 32, 3, "decoder_10")
    x = _convolution(x, 32, 3, "decoder_11")
    x = layers.Conv2D(SHAPE[-1], 3, padding="same", name="pixels")(x)
    return keras.Model([point], layers.Activation("tanh", name="tanh", dtype="float32")(x), name="decoder")


def _check(code, shape):
    if code not in ACTIVATIONS:
        raise CganError(unknown("activation of the code", code, ACTIVATIONS))
    if tuple(shape) != SHAPE:
        raise CganError(f"This autoencoder is made for grey images of 28×28 pixels, not {'×'.join(map(str, shape))}.")


def _convolution(x, filters, kernel, name):
    return layers.Conv2D(filters, kernel, padding="same", activation="relu", name=name)(x)


class Autoencoder(EncoderDecoder):
    """An encoder and a decoder that together give back the image they got, by way of a point of the plane.

    The loss is the squared error of a pixel in [-1, 1], mean over pixels and images. Where the codes lie is kept in
    `code_mean` and `code_std` [2], running values that nothing is trained on: they say where to look for new images.

    encoder: images [N, H, W, C] in [-1, 1] → [N, d]; decoder: points [N, d] → images.
    """

    loss_names = ("squared_error",)
    column = "one point of the plane per column"

    def __init__(self, encoder, decoder):
        super().__init__("autoencoder", encoder, decoder)
        shape = encoder.output.shape[1:]
        self.code_mean = self.add_weight(shape=shape, trainable=False, initializer="zeros", name="code_mean")
        self.code_std = self.add_weight(shape=shape, trainable=False, initializer="ones", name="code_std")

    def error(self, images, training=False):
        """[The squared error of a batch of images in [-1, 1], a scalar], and the points they went through."""
        codes = self.encoder([images], training=training)
        drawn = self.generator([codes], training=training)
        return [ops.mean(ops.square(drawn - images))], codes

    def train_step(self, data):
        images = to_signed(data[0])
        losses, codes = self.descend(lambda: self.error(images, training=True))
        with no_gradients():
            self._follow(codes)
            return self.log(losses)

    def test_step(self, data):
        with no_gradients():
            return self.log(self.error(to_signed(data[0]))[0], remember=False)

    def _follow(self, codes):
        """Move the running mean and standard deviation towards those of a batch: a mean of about 100 batches."""
        share = 1 / ops.minimum(ops.cast(self.optimizers[0].iterations, "float32"), 100.0)
        for running, value in ((self.code_mean, ops.mean(codes, axis=0)), (self.code_std, ops.std(codes, axis=0))):
            running.assign(running + share * (value - running))

    def paint(self, labels, seeds):
        """uint8 images [N, H, W, C] at points drawn from where the codes lie: the same seeds, the same places."""
        mean, std = (ops.convert_to_numpy(value) for value in (self.code_mean, self.code_std))
        points = mean + std * latent(seeds, len(mean))
        return to_uint8(decode(self.generator, points, labels))


def encode(encoder, images, batch_size=500):
    """uint8 images [N, H, W, C] → their points [N, d], float32."""
    starts = range(0, len(images), batch_size)
    parts = [encoder.predict_on_batch([to_signed(images[i : i + batch_size])]) for i in starts]
    return np.concatenate(parts).astype("float32")
