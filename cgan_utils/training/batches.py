"""The images of a training in batches: shuffled to learn from, in their order to be judged."""

import itertools

import numpy as np

from ..backend import keras

TEST_BATCH = 500


def order(labels, seed, epoch, group=1):
    """The order in which an epoch goes through images of `labels` [N]; it depends on (seed, epoch) and them alone.

    group: so many images of one class follow each other. What is left of each class comes last, in every second epoch
    first: what fills no batch at the end of an epoch is left out, and must not be the same classes each time. What
    comes first is cut to a multiple of `group`, so that no group lies across two batches.
    """
    random = np.random.default_rng((seed, epoch))
    places = random.permutation(len(labels))
    if group == 1:
        return places
    members = [places[labels[places] == label] for label in np.unique(labels)]
    whole = [some[: len(some) // group * group].reshape(-1, group) for some in members]
    rest = [some[len(some) // group * group :] for some in members]
    groups, rest = random.permutation(np.concatenate(whole)).ravel(), random.permutation(np.concatenate(rest))
    first = len(rest) // group * group if epoch % 2 else 0
    return np.concatenate([rest[:first], groups, rest[first:]])


def batches(images, labels, batch_size, seed, epoch=0, step=0, group=1, mirror=False):
    """Endless batches from `step` of `epoch` on; each epoch in its `order`.

    Whole batches only, so that every step has the same shapes. mirror: turn half of the images, chosen at random,
    left to right.
    """
    for current in itertools.count(epoch):
        places = order(labels, seed, current, group)
        for i in range(step, len(images) // batch_size):
            chosen = places[i * batch_size : (i + 1) * batch_size]
            some = np.asarray(images[chosen])
            if mirror:
                turned = np.random.default_rng((seed, current, i)).random((batch_size, 1, 1, 1)) < 0.5
                some = np.where(turned, some[:, :, ::-1], some)
            yield some, labels[chosen]
        step = 0


def stacked(batches, together, steps, step=0):
    """The same batches in stacks: images [together, N, H, W, C] and labels [together, N], for calls of several steps.

    An epoch has `steps` batches, the first one here only those from `step` on; its last stack is filled up with
    batches of label -1, which are no steps.
    """
    for first in itertools.chain([step], itertools.repeat(0)):
        for start in range(first, steps, together):
            some = zip(*itertools.islice(batches, min(together, steps - start)), strict=True)
            images, labels = map(np.stack, some)
            missing = [(0, together - len(labels))]
            yield np.pad(images, missing + [(0, 0)] * 4), np.pad(labels, [*missing, (0, 0)], constant_values=-1)


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
