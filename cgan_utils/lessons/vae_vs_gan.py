"""Two generators beside each other: a judge that measures their images, paths between latent points, reconstructions.

Four measures of the images of one class, in the columns of `Judge.scores`:

    likeness    share, 0 to 1, of the images that the judge takes for the class that was asked for
    diversity   root mean square difference between two of the images, mean over all pairs, in grey levels (0 to 255);
                0 if all are the same image
    coverage    share, 0 to 1, of the real images that have a drawn one as near as their fifth nearest real
                one, in the judge's features (Naeem et al. 2020); low where kinds are missing
    sharpness   difference between neighbouring pixels, mean of the absolute values, in grey levels; low for a blur

None has a goal of its own. The goal is what real images score that the judge never saw: `Judge.real_scores`.
"""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from ..backend import channels_last, keras
from ..files import ENCODER, LAST
from ..models.class_noise import decoder_of
from ..models.layers import to_signed, to_uint8
from ..models.sampling import checked_labels, decode, latent
from ..results.measures import diversity, nearest

layers = keras.layers

FEATURES = 64  # numbers by which the small judge describes an image
NEIGHBOURS = 5
BATCH = 500


class Judge:
    """A classifier, trained on the real images, that looks at drawn ones: an `Evaluator`, or a small one made here.

    `accuracy`: share of the test images that it recognises. Of each class, every second test image is in `reference`,
    (images, features), for the coverage; the others, in `unseen`, play a perfect generator in `real_scores`.
    """

    def __init__(self, data, evaluator=None, epochs=3, seed=0):
        self.class_names = data.class_names
        self._look = evaluator.look if evaluator else _classifier(data, epochs, seed)
        features, seen = self.look(data.x_test)
        self.accuracy = float((seen == data.y_test).mean())
        places = [np.flatnonzero(data.y_test == label) for label in range(data.classes)]
        self.reference = [(data.x_test[place[::2]], features[place[::2]]) for place in places]
        self.unseen = [data.x_test[place[1::2]] for place in places]

    def look(self, images):
        """What the judge sees in uint8 images [N, H, W, C]: features [N, d] and the likeliest class [N]."""
        features, verdicts = self._look(images)
        return features, verdicts.argmax(axis=1)

    def scores(self, images, labels):
        """The four measures, a row per class. images: uint8 [N, H, W, C]; labels: the classes asked for [N]."""
        labels, (features, seen) = np.asarray(labels), self.look(images)
        rows = {}
        for label in np.unique(labels):
            own = labels == label
            rows[self.class_names[label]] = {
                "likeness": (seen[own] == label).mean(),
                "diversity": diversity(images[own]),
                "coverage": covered(self.reference[label][1], features[own]).mean(),
                "sharpness": sharpness(images[own]),
            }
        return pd.DataFrame(rows).T

    def real_scores(self, count):
        """The scores of up to `count` real images of each class, none of which is in the reference."""
        images = [own[:count] for own in self.unseen]
        return self.scores(np.concatenate(images), np.repeat(np.arange(len(images)), [len(own) for own in images]))


@channels_last()
def _classifier(data, epochs, seed):
    """A trained network, as a function: uint8 images → features [N, FEATURES] and logits.

    About 89 % right on Fashion-MNIST after three epochs.
    """
    keras.utils.set_random_seed(seed)
    image = keras.Input(data.shape, dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    features = layers.Dense(FEATURES, activation="relu", name="features")(layers.Flatten()(x))
    verdict = layers.Dense(data.classes, name="verdict")(features)
    network = keras.Model(image, verdict)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, jit_compile=False)  # XLA convolutions are several times slower on a CPU
    network.fit(data.x_train, data.y_train, batch_size=128, epochs=epochs, verbose=0)
    both = keras.Model(image, [features, verdict])
    return lambda images: both.predict(images, batch_size=BATCH, verbose=0)


def covered(real, drawn):
    """Which of the real points [M, d], M > 1, `coverage` counts for drawn points [N, d]: bool [M].

    Where M is no larger than `NEIGHBOURS`, the farthest one counts.
    """
    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(real) - 1)).fit(real)
    radius = neighbours.kneighbors()[0][:, -1]  # asked without points, scikit-learn leaves each point itself out
    return nearest(real, drawn)[0] <= radius


def sharpness(images):
    """How sharp images are, uint8 [N, H, W, C]: the measure of that name in the table at the top of this file."""
    levels = np.asarray(images, "int16")
    return float(np.mean([np.abs(np.diff(levels, axis=axis)).mean() for axis in (1, 2)]))


def arc(start, end, steps):
    """Points [steps, d] from `start` to `end` [d], both included, at equal angles seen from the origin (White 2016).

    Nearly all of N(0, I) in d dimensions lies about √d from the origin. The middle of a straight line between two
    draws lies at √(d/2), where such noise hardly ever falls; an arc keeps the distance.
    """
    share = np.linspace(0, 1, steps)[:, None]
    cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-4:  # the same direction, or opposite ones: no single arc leads there
        return (1 - share) * start + share * end
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def interpolate(run, label, seed_a, seed_b, steps=10):
    """uint8 images [steps, H, W, C] of class number `label`, from the image of one seed to that of another."""
    generator = run.generator()
    start, end = latent((seed_a, seed_b), generator.inputs[0].shape[-1])
    labels = checked_labels([label], len(run.class_names))
    return to_uint8(decode(generator, arc(start, end, steps), labels.repeat(steps)))


def encode(run, images, labels):
    """Means and log-variances, both [N, d], of the codes that a variational run's encoder gives uint8 images."""
    return posterior(run.network(ENCODER), images, labels)


def posterior(encoder, images, labels):
    """Means and log-variances, both [N, d], that an encoder gives to uint8 images [N, H, W, C] of classes `labels`."""
    labels = np.asarray(labels, "int32")
    parts = [slice(i, i + BATCH) for i in range(0, len(images), BATCH)]
    codes = [
        encoder.predict_on_batch([keras.ops.convert_to_numpy(to_signed(images[part])), labels[part]]) for part in parts
    ]
    return np.split(np.concatenate(codes), 2, axis=1)


def reconstruct(run, images, labels):
    """The images as the means of their codes describe them: uint8 [N, H, W, C]. Both networks are the last."""
    return to_uint8(decode(decoder_of(run.generator(LAST)), encode(run, images, labels)[0], labels))
