"""The conditional variational autoencoder: the same decoder as a generator, taught without an opponent."""

import math

from ..backend import keras, no_gradients
from .game import EncoderDecoder
from .layers import to_signed

ops = keras.ops


def gaussian_log_likelihood(x, mean, variance):
    """log N(x; mean, variance·I) of each image, in nats: [N]. x, mean [N, H, W, C]; variance a number."""
    pixels = math.prod(x.shape[1:])
    squares = ops.sum(ops.square(x - mean), axis=(1, 2, 3))
    return -0.5 * (pixels * math.log(2 * math.pi * variance) + squares / variance)


def divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each row, in nats: [N, d] → [N]. Kingma and Welling 2014, app. B."""
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1 - log_variance, axis=-1)


class ConditionalVAE(EncoderDecoder):
    """An encoder q(z|x, y) and a decoder p(x|z, y) = N(decoder(z, y), variance·I) that maximise a lower bound.

    Sohn et al. 2015, equation 4: log p(x|y) ≥ E[log p(x|z, y)] - KL(q(z|x, y) || N(0, I)), with one sample of z.

    variance: of a pixel in [-1, 1] around what the decoder draws. It settles how much z may say: the smaller, the more
    an error of a pixel costs beside the divergence, and the sharper the reconstructions. But a z that says too much
    also says what y should, the decoder stops listening to y, and a z from N(0, I) means little to it. That happens
    with the variance that fits the images best, their mean squared error (Rybkin et al. 2021), and still with 0.5.

    encoder: [images in [-1, 1], labels] → [N, 2d] (means, log-variances); decoder: [z [N, d], labels] → images.
    """

    loss_names = ("reconstruction", "kl")

    def __init__(self, encoder, decoder, variance=1.0, seed=0):
        super().__init__("conditional_vae", encoder, decoder)
        self.variance = variance
        self.noise_seed, self.test_seed = keras.random.SeedGenerator(seed), seed + 1

    def encode(self, images, labels, training=False):
        """Means and log-variances of q(z|x, y), both [N, d]; images in [-1, 1]."""
        return ops.split(self.encoder([images, labels], training=training), 2, axis=-1)

    def bound(self, images, labels, seed, training=False):
        """The two terms of the bound, negated, as means over the batch in nats per image: [reconstruction, kl]."""
        mean, log_variance = self.encode(images, labels, training)
        z = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=seed)
        drawn = self.generator([z, labels], training=training)
        likelihood = gaussian_log_likelihood(images, drawn, self.variance)
        return [-ops.mean(likelihood), ops.mean(divergence(mean, log_variance))]

    def train_step(self, data):
        images, labels = to_signed(data[0]), data[1]
        terms, _ = self.descend(lambda: (self.bound(images, labels, self.noise_seed, training=True), None))
        with no_gradients():
            return self.log(terms)

    def test_step(self, data):
        """The bound on unseen images; the same noise each time, and no weight changes."""
        with no_gradients():
            return self.log(self.bound(to_signed(data[0]), data[1], self.test_seed), remember=False)
