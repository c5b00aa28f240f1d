"""The images of a training in batches: shuffled to learn from, in their order to be judged."""

import itertools

import numpy as np

from ..backend import keras

TEST_BATCH = 500


def order(labels, seed, epoch, group=1):
    """The order in which an epoch goes through images of `labels` [N]; it depends on (seed, epoch) and them alone.

    group: so many images of one class follow each other. What is left of each class comes last.
    """
    random = np.random.default_rng((seed, epoch))
    places = random.permutation(len(labels))
    if group == 1:
        return places
    members = [places[labels[places] == label] for label in np.unique(labels)]
    whole = [some[: len(some) // group * group].reshape(-1, group) for some in members]
    rest = [some[len(some) // group * group :] for some in members]
    return np.concatenate([random.permutation(np.concatenate(whole)).ravel(), random.permutation(np.concatenate(rest))])


def batches(images, labels, batch_size, seed, epoch=0, step=0, group=1):
    """Endless batches from `step` of `epoch` on; each epoch in its `order`.

    Whole batches only, so that every step has the same shapes.
    """
    for current in itertools.count(epoch):
        places = order(labels, seed, current, group)
        for i in range(step, len(images) // batch_size):
            chosen = places[i * batch_size : (i + 1) * batch_size]
            yield images[chosen], labels[chosen]
        step = 0


class InBatches(keras.utils.PyDataset):
    """`count` of the images, evenly spread, a batch at a time: those of a folder never lie in memory together.

    Whole batches only, unless there is less than one.
    """

    def __init__(self, images, labels, count):
        super().__init__()
        self.images, self.labels = images, labels
        count = min(count, len(images)) // TEST_BATCH * TEST_BATCH or min(count, len(images))
        self.places = np.arange(count) * len(images) // count

    def __len__(self):
        return -(-len(self.places) // TEST_BATCH)

    def __getitem__(self, i):
        places = self.places[i * TEST_BATCH : (i + 1) * TEST_BATCH]
        return np.asarray(self.images[places]), self.labels[places]
