"""A variational autoencoder whose noise is spread like the codes of each class.

The smaller the variance of a pixel, the more a code z says, the class included; then a z from N(0, I) means little to
the decoder. So the mean and covariance of each class's codes are noted during the training, and noise from N(0, I) is
spread like them before it is drawn from: after the training, as Ghosh et al. 2020, arXiv:1903.12436, section 4, do for
all classes together.
"""

import numpy as np

from ..backend import keras
from ..files import LAST
from .vae import ConditionalVAE

ops = keras.ops
MEMORY = 0.999  # of the moments of the codes: about the last thousand steps


def decoder_of(generator):
    """The part of a generator that draws from codes: (z [N, d], labels [N]) → images [N, H, W, C] in [-1, 1].

    That is what stands behind its class noise; a generator without class noise draws from codes itself.
    """
    if not any(layer.name == "class_noise" for layer in generator.layers):
        return generator
    return keras.Model([generator.get_layer("class_noise").output, generator.inputs[1]], generator.output)


class ClassNoiseVAE(ConditionalVAE):
    """A `ConditionalVAE` whose decoder learns from codes as there, and draws from noise through `layers.class_noise`.

    decoder: ([N, d] noise, [N] labels) → images, of an architecture with class noise.
    """

    def __init__(self, encoder, decoder, variance=1.0, seed=0):
        super().__init__(encoder, decoder_of(decoder), variance, seed)
        self.whole = decoder
        classes, size = decoder.get_layer("class_mean").embeddings.shape
        shapes = {"count": (classes,), "total": (classes, size), "squares": (classes, size, size)}
        self.moments = [
            self.add_weight(shape=shape, trainable=False, initializer="zeros", name=f"codes_{name}")
            for name, shape in shapes.items()
        ]

    def encode(self, images, labels, training=False):
        mean, log_variance = super().encode(images, labels, training)
        if training:
            self.note(ops.stop_gradient(mean), ops.stop_gradient(ops.exp(log_variance)), labels)
        return mean, log_variance

    def note(self, mean, variance, labels):
        """Add codes z ~ N(mean, variance), [N, d] both, to the moments of their classes; old ones count less."""
        own = ops.one_hot(labels, self.moments[0].shape[0], dtype="float32")
        squares = ops.einsum("nk,ni,nj->kij", own, mean, mean)
        squares += ops.einsum("nk,ni->ki", own, variance)[:, :, None] * ops.eye(mean.shape[-1])
        new = ops.sum(own, axis=0), ops.einsum("nk,ni->ki", own, mean), squares
        for moment, value in zip(self.moments, new, strict=True):
            moment.assign(MEMORY * moment + value)

    @property
    def drawer(self):
        """The decoder behind its noise, which now has the mean and covariance of the codes of each class.

        A class of which fewer codes are known than a covariance needs keeps N(0, I).
        """
        count, total, squares = (ops.convert_to_numpy(moment).astype("float64") for moment in self.moments)
        tables = [self.whole.get_layer(name).embeddings for name in ("class_mean", "class_root")]
        means, roots = (ops.convert_to_numpy(table).copy() for table in tables)
        for label in np.flatnonzero(count > 2 * total.shape[1]):
            means[label] = mean = total[label] / count[label]
            covariance = squares[label] / count[label] - np.outer(mean, mean)
            roots[label] = np.linalg.cholesky(covariance + 1e-6 * np.eye(len(mean))).ravel()
        for table, values in zip(tables, (means, roots), strict=True):
            table.assign(values)
        return self.whole

    @property
    def kept(self):
        return {**super().kept, LAST: self.drawer}
