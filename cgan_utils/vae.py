"""The conditional variational autoencoder: the same decoder as a generator, taught without an opponent."""

import math

from .backend import keras, no_gradients, value_and_gradients
from .games import Game
from .layers import to_signed

ops = keras.ops

LEAST_VARIANCE = 1e-4  # of a pixel in [-1, 1]: about one grey level


def gaussian_log_likelihood(x, mean, variance):
    """log N(x; mean, variance·I) of each image, in nats: [N]. x, mean [N, H, W, C]; variance a scalar."""
    pixels = math.prod(x.shape[1:])
    squares = ops.sum(ops.square(x - mean), axis=(1, 2, 3))
    return -0.5 * (pixels * ops.log(2 * math.pi * variance) + squares / variance)


def divergence(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each row, in nats: [N, d] → [N]. Kingma and Welling 2014, app. B."""
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1 - log_variance, axis=-1)


class ConditionalVAE(Game):
    """An encoder q(z|x, y) and a decoder p(x|z, y) = N(decoder(z, y), σ²) that maximise the evidence lower bound.

    Sohn et al. 2015, equation 4: log p(x|y) ≥ E[log p(x|z, y)] - KL(q(z|x, y) || N(0, I)), with one sample of z.
    σ² is the best one for each batch, its mean squared error (Rybkin et al. 2021, section 3.2): no weight between the
    two terms has to be tuned. Its running mean, `variance`, serves the test images.

    encoder: [images in [-1, 1], labels] → [N, 2d] (means, log-variances); decoder: [z [N, d], labels] → images.
    """

    loss_names = ("reconstruction", "kl")
    players = ("generator", "encoder")

    def __init__(self, encoder, decoder, seed=0):
        super().__init__(name="conditional_vae")
        self.encoder, self.generator = encoder, decoder
        self.noise_seed, self.test_seed = keras.random.SeedGenerator(seed), seed + 1
        self.variance = self.add_weight(shape=(), trainable=False, initializer="ones", name="variance")

    def compile(self, optimizer, **options):
        super().compile({optimizer: self._weights()}, **options)

    @property
    def kept(self):
        return {**super().kept, "encoder.safetensors": self.encoder}

    def _weights(self):
        return self.encoder.trainable_variables + self.generator.trainable_variables

    def encode(self, images, labels, training=False):
        """Means and log-variances of q(z|x, y), both [N, d]; images in [-1, 1]."""
        return ops.split(self.encoder([images, labels], training=training), 2, axis=-1)

    def bound(self, images, labels, seed, variance=None, training=False):
        """The two terms of the bound, negated, as means over the batch in nats per image, and the σ² they used."""
        mean, log_variance = self.encode(images, labels, training)
        z = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=seed)
        drawn = self.generator([z, labels], training=training)
        if variance is None:  # the best one; the bound is flat there, so no gradient is lost
            variance = ops.maximum(ops.stop_gradient(ops.mean(ops.square(images - drawn))), LEAST_VARIANCE)
        likelihood = ops.mean(gaussian_log_likelihood(images, drawn, variance))
        return -likelihood, ops.mean(divergence(mean, log_variance)), variance

    def train_step(self, data):
        images, labels = to_signed(data[0]), data[1]

        def play():
            reconstruction, kl, variance = self.bound(images, labels, self.noise_seed, training=True)
            return [reconstruction + kl], (reconstruction, kl, variance)

        _, (reconstruction, kl, variance), (gradients,) = value_and_gradients(play, [self._weights()])
        with no_gradients():
            optimizer = self.optimizers[0]
            optimizer.apply(gradients, self._weights())
            step = ops.cast(optimizer.iterations, "float32")
            self.variance.assign(self.variance + (variance - self.variance) / ops.minimum(step, 100.0))
            return self.log([reconstruction, kl])

    def test_step(self, data):
        """The bound on unseen images; the same noise each time, and no weight changes."""
        with no_gradients():
            images, labels = to_signed(data[0]), data[1]
            reconstruction, kl, _ = self.bound(images, labels, self.test_seed, ops.convert_to_tensor(self.variance))
            return self.log([reconstruction, kl], remember=False)
