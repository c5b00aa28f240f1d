"""Scores while a network trains: what the losses don't say."""

import numpy as np

from ..backend import keras
from ..errors import CganError
from ..models.sampling import draw
from ..results import measures
from ..results.evaluation import Reference
from ..results.evaluator import find_evaluator


def best_epoch(history):
    """The epoch, counted from 1, whose drawings came nearest to the test images, the last of several; or None.

    history: a dict per epoch, with `frechet` where its drawings were scored.
    """
    scored = [row for row in reversed(history) if "frechet" in row]
    return min(scored, key=lambda row: row["frechet"])["epoch"] if scored else None


class Score(keras.callbacks.Callback):
    """After each epoch draws `per_class` images of each class, always from the same seeds, and has them judged.

    Adds to the history `class_accuracy`, if there are classes, and `frechet`, the distance to the test images in the
    evaluator's features; both are defined in `evaluation`, but fewer images make the distance larger than there. The
    generator of the epoch with the smallest distance is kept as the game's `best`, with which the run then draws.

    data: an `ImageDataset`; classes: how many the game knows. Raises CganError where no evaluator ships for the data,
    or for too few images.
    """

    def __init__(self, progress, data, classes, per_class):
        super().__init__()
        judge = find_evaluator(data)
        if not judge:
            raise CganError(f"There is no evaluator for {data.name}, so its drawings can't be scored.")
        if len(data.x_test) <= judge.width:
            few = f"{len(data.x_test)} test images are too few for scores, which need {judge.width + 1} or more"
            raise CganError(f"{few}; a limit of the images limits those, too.")
        least = -(-(judge.width + 1) // classes)
        if per_class < least:
            raise CganError(f"Scores of {per_class} images a class are too uncertain; ask for {least} or more.")
        self.progress, self.reference = progress, Reference(data, judge)
        self.labels = np.repeat(np.arange(classes), per_class)

    def on_epoch_end(self, epoch, logs=None):
        images = draw(self.model.drawer, self.labels, range(len(self.labels)))
        features, chances = self.reference.judge.look(images)
        if self.labels[-1]:
            logs["class_accuracy"] = float((chances.argmax(axis=1) == self.labels).mean())
        logs["frechet"] = measures.frechet_distance(self.reference.test[0], features)
        if best_epoch([*self.progress.history, {**logs, "epoch": epoch + 1}]) == epoch + 1:
            self.model.best.set_weights(self.model.drawer.get_weights())
