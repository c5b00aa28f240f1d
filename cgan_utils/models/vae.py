"""The conditional variational autoencoder: the same decoder as a generator, taught without an opponent."""

import math

import numpy as np

from ..backend import keras, no_gradients
from .game import EncoderDecoder
from .layers import to_signed

ops = keras.ops
MEMORY = 0.999  # of the moments of the codes: about the last thousand steps


def gaussian_log_likelihood(x, mean, variance):
    """log N(x; mean, variance·I) of each image, in nats: [N]. x, mean [N, H, W, C]; variance a number."""
    pixels = math.prod(x.shape[1:])
    squares = ops.sum(ops.square(x - mean), axis=(1, 2, 3))
    return -0.5 * (pixels * math.log(2 * math.pi * variance) + squares / variance)


def divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each row, in nats: [N, d] → [N]. Kingma and Welling 2014, app. B."""
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1 - log_variance, axis=-1)


def decoder_of(generator):
    """The part of a generator that draws from codes: (z [N, d], labels [N]) → images; all of it without class noise."""
    if "class_noise" not in [layer.name for layer in generator.layers]:
        return generator
    return keras.Model([generator.get_layer("class_noise").output, generator.inputs[1]], generator.output)


class ConditionalVAE(EncoderDecoder):
    """An encoder q(z|x, y) and a decoder p(x|z, y) = N(decoder(z, y), variance·I) that maximise a lower bound.

    Sohn et al. 2015, equation 4: log p(x|y) ≥ E[log p(x|z, y)] - KL(q(z|x, y) || N(0, I)), with one sample of z.

    variance: of a pixel in [-1, 1] around what the decoder draws. It settles how much z may say: the smaller, the more
    an error of a pixel costs beside the divergence, and the sharper the reconstructions. But a z that says too much
    also says what y should, the decoder stops listening to y, and a z from N(0, I) means little to it. That happens
    with the variance that fits the images best, their mean squared error (Rybkin et al. 2021), and still with 0.5.

    A decoder with class noise (`layers.class_noise`) has a cure: while it learns, the codes' mean and covariance are
    noted for each class, and noise from N(0, I) is spread like them before it is drawn from (after the training, as
    Ghosh et al. 2020, arXiv:1903.12436, section 4, do for all classes together). Then z may say as much as it wants.

    encoder: [images in [-1, 1], labels] → [N, 2d] (means, log-variances); decoder: [z [N, d], labels] → images.
    """

    loss_names = ("reconstruction", "kl")

    def __init__(self, encoder, decoder, variance=1.0, seed=0):
        super().__init__("conditional_vae", encoder, decoder)
        self.variance = variance
        self.noise_seed, self.test_seed = keras.random.SeedGenerator(seed), seed + 1
        self.decoder = decoder_of(decoder)
        self.moments = []  # of each class's codes: their number, sum and sum of squares
        if self.decoder is not decoder:
            classes, size = decoder.get_layer("class_mean").embeddings.shape
            shapes = {"count": (classes,), "total": (classes, size), "squares": (classes, size, size)}
            self.moments = [
                self.add_weight(shape=shape, trainable=False, initializer="zeros", name=f"codes_{name}")
                for name, shape in shapes.items()
            ]

    def encode(self, images, labels, training=False):
        """Means and log-variances of q(z|x, y), both [N, d]; images in [-1, 1]."""
        return ops.split(self.encoder([images, labels], training=training), 2, axis=-1)

    def bound(self, images, labels, seed, training=False):
        """The two terms of the bound, negated, as means over the batch in nats per image: [reconstruction, kl]."""
        return self.bound_and_codes(images, labels, seed, training)[0]

    def bound_and_codes(self, images, labels, seed, training=False):
        """The same, and the codes [N, d] that were drawn for it."""
        mean, log_variance = self.encode(images, labels, training)
        z = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=seed)
        drawn = self.decoder([z, labels], training=training)
        likelihood = gaussian_log_likelihood(images, drawn, self.variance)
        return [-ops.mean(likelihood), ops.mean(divergence(mean, log_variance))], z

    def train_step(self, data):
        images, labels = to_signed(data[0]), data[1]
        terms, z = self.descend(lambda: self.bound_and_codes(images, labels, self.noise_seed, training=True))
        with no_gradients():
            if self.moments:
                self.note(ops.cast(z, "float32"), labels)
            return self.log(terms)

    def note(self, z, labels):
        """Add codes [N, d] to the moments of their classes; what was added long ago counts less."""
        own = ops.one_hot(labels, self.moments[0].shape[0], dtype="float32")
        new = ops.sum(own, axis=0), ops.einsum("nk,ni->ki", own, z), ops.einsum("nk,ni,nj->kij", own, z, z)
        for moment, value in zip(self.moments, new, strict=True):
            moment.assign(MEMORY * moment + value)

    def spread_noise(self):
        """Give the class noise the mean and covariance of the codes; a class that is new keeps N(0, I)."""
        count, total, squares = (ops.convert_to_numpy(moment).astype("float64") for moment in self.moments)
        mean_table, root_table = (self.generator.get_layer(f"class_{name}") for name in ("mean", "root"))
        means, roots = (ops.convert_to_numpy(table.embeddings).copy() for table in (mean_table, root_table))
        for label in np.flatnonzero(count > 2 * total.shape[1]):
            mean = total[label] / count[label]
            covariance = squares[label] / count[label] - np.outer(mean, mean)
            means[label] = mean
            roots[label] = np.linalg.cholesky(covariance + 1e-6 * np.eye(len(mean))).ravel()
        mean_table.embeddings.assign(means)
        root_table.embeddings.assign(roots)

    @property
    def drawer(self):
        if self.moments:
            self.spread_noise()
        return self.generator

    @property
    def kept(self):
        if self.moments:
            self.spread_noise()
        return super().kept

    def test_step(self, data):
        """The bound on unseen images; the same noise each time, and no weight changes."""
        with no_gradients():
            return self.log(self.bound(to_signed(data[0]), data[1], self.test_seed), remember=False)
