"""Training a stacked classifier: its blocks one after the other, then all of it; interrupted and resumed at will."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from .. import backend
from ..backend import keras
from ..data.datasets import load
from ..data.mapped import MappedImages
from ..errors import CganError
from ..models.classifier import Classifier, LayerAutoencoder, Recipe, blocks_of, build
from ..results.classifier import TEST_BATCH, save
from ..results.evaluator import COLOUR, RECIPES, Evaluator
from . import checkpoints
from .batches import batches
from .callbacks import Interruptible, Recorder, Resume, Saver

FINE_TUNING = "fine-tuning"


@dataclass
class Trained:
    """A network and how it came about: `history` has a row per epoch, with the stage's name in column 'stage'."""

    network: keras.Model
    history: pd.DataFrame
    recipe: Recipe


class EarlyStopping(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the lowest validation loss; stops `patience` epochs after it.

    It looks at the recorded history alone, so that a resumed training stops where an uninterrupted one does.
    """

    def __init__(self, progress, patience):
        super().__init__()
        self.progress, self.patience = progress, patience

    @property
    def satisfied(self):
        losses = [row["val_cross_entropy"] for row in self.progress.history]
        return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= self.patience

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_cross_entropy"] <= min(row["val_cross_entropy"] for row in self.progress.history):
            self.model.keep_best()
        self.model.stop_training = self.satisfied


def split(data, recipe):
    """Indices of the training images: (to learn from without labels, to learn from with labels, to validate on)."""
    if (recipe.labels or 0) > len(data.x_train) or recipe.validation + recipe.batch_size > len(data.x_train):
        raise CganError(f"{len(data.x_train)} images are too few for {recipe.labels or recipe.validation} labels.")
    order = np.random.default_rng(recipe.seed).permutation(len(data.x_train))
    labelled = order[-recipe.labels :] if recipe.labels else order
    held_out = labelled[: recipe.validation]
    return order[~np.isin(order, held_out)], labelled[recipe.validation :], held_out


def moved(images, random, shift, flip, hole=0):
    """Each image up to `shift` pixels away from its place, and mirrored half of the time if `flip`: the augmentation.

    images: uint8 [N, H, W, C], returned as such; the border is filled with 0, which is black, and
    so are the places of a square of side `hole` around a random pixel.
    """
    count, height, width, _ = images.shape
    rows, columns = (random.integers(0, 2 * shift + 1, count) for _ in range(2))
    framed = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    down = (rows[:, None] + np.arange(height))[:, :, None]
    right = (columns[:, None] + np.arange(width))[:, None, :]
    out = framed[np.arange(count)[:, None, None], down, right]
    if flip:
        mirrored = random.random(count) < 0.5
        out[mirrored] = out[mirrored, :, ::-1]
    if hole:
        starts = [random.integers(0, size, (count, 1)) - hole // 2 for size in (height, width)]
        inside = [(np.arange(size) - start) // hole == 0 for size, start in zip((height, width), starts, strict=True)]
        out[inside[0][:, :, None] & inside[1][:, None, :]] = 0
    return out


def pretrain(recipe, data, folder=None, dtype="auto", extra_callbacks=(), verbose=0):
    """Train the blocks of a new classifier as autoencoders, one after the other, without labels → `Trained`.

    folder: where checkpoints go; a training that was interrupted goes on from there, and one that is finished is
    read. With recipe.layer_epochs = 0 the network stays as it was initialised.
    """
    keras.utils.set_random_seed(recipe.seed)
    network = build(recipe, data.shape, data.classes, backend.precision(dtype))
    blocks, histories = blocks_of(network), []
    unlabelled, _, held_out = split(data, recipe)
    for i, block in enumerate(blocks if recipe.layer_epochs else ()):
        game = LayerAutoencoder(blocks[:i], block, recipe.hidden, recipe.seed)
        parts = (data.x_train[unlabelled], data.y_train[unlabelled], data.x_train[held_out], data.y_train[held_out])
        stage = _Stage(block.name, game, recipe, recipe.layer_epochs, data.fingerprint, folder)
        histories.append(stage.run(parts, extra_callbacks, verbose))
    return Trained(network, _joined(histories), recipe)


def fine_tune(recipe, data, start, folder=None, extra_callbacks=(), verbose=0):
    """Train a classifier on labels, from the weights of `start`, a `Trained`, which are left alone → `Trained`.

    It returns the weights of the epoch with the lowest validation loss. The test images take no part.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = blocks_of(start.network)[0].layers[1].dtype_policy.name
    network = build(recipe, data.shape, data.classes, policy)
    network.set_weights(start.network.get_weights())
    _, labelled, held_out = split(data, recipe)
    learned = data.x_train.view(labelled) if isinstance(data.x_train, MappedImages) else data.x_train[labelled]
    parts = (learned, data.y_train[labelled], data.x_train[held_out], data.y_train[held_out])
    stage = _Stage(FINE_TUNING, Classifier(network, recipe.smoothing), recipe, recipe.epochs, data.fingerprint, folder)
    history = stage.run(parts, extra_callbacks, verbose)
    return Trained(stage.game.best, _joined([start.history, history]), recipe)


def _joined(histories):
    rows = [history for history in histories if len(history)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


class _Stage:
    """One game trained to its end, through any number of interruptions, if there is a folder for the checkpoint."""

    def __init__(self, name, game, recipe, epochs, fingerprint, folder):
        self.name, self.game, self.recipe, self.epochs = name, game, recipe, epochs
        self.path = folder and Path(folder) / f"{name}.checkpoint"
        settings = json.loads(json.dumps(asdict(recipe)))  # as it will be read: without tuples
        self.identity = {"stage": name, "recipe": settings, "data": fingerprint}

    def run(self, parts, extra_callbacks=(), verbose=0):
        """parts: images and labels to learn from, images and labels to validate on. Returns the history."""
        images, labels, *validation = parts
        steps = len(images) // self.recipe.batch_size
        self.game.compile(self._optimizer(steps))
        resume = bool(self.path) and self.path.exists()
        progress = checkpoints.read_progress(self.path, self.identity) if resume else checkpoints.Progress()
        if resume:
            checkpoints.restore(self.path, self.game)
        self._finish(progress, resume, images, labels, validation, extra_callbacks, verbose)
        history = pd.DataFrame(progress.history)
        history.insert(0, "stage", self.name)
        return history

    def _optimizer(self, steps):
        warm = max(1, steps // 2)
        rate = keras.optimizers.schedules.CosineDecay(
            self.recipe.learning_rate / (warm + 1),  # not 0, with which the first step would teach nothing
            max(1, steps * self.epochs - warm),
            warmup_target=self.recipe.learning_rate,
            warmup_steps=warm,
        )
        optimizer = keras.optimizers.AdamW(rate, weight_decay=self.recipe.weight_decay)
        # Biases, and the scales of a normalisation, are no weights that could grow too large.
        vectors = [variable for variable in self.game.trainable_variables if len(variable.shape) < 2]
        optimizer.exclude_from_weight_decay(var_list=vectors)
        return optimizer

    def _finish(self, progress, resume, images, labels, validation, extra_callbacks, verbose):
        interrupt, steps = Interruptible(), len(images) // self.recipe.batch_size
        stopping = EarlyStopping(progress, self.recipe.patience) if isinstance(self.game, Classifier) else None
        around = [
            Resume(self.path if resume else None, progress),
            Recorder(progress, steps),
            *([stopping] if stopping else []),
        ]

        def save():
            # When all steps of an epoch are done, its validation is not: there is nothing `fit` could go on with.
            if self.path and progress.step < steps:
                checkpoints.save(self.path, self.game, progress, self.identity, "give the same command again")

        around += [Saver(save, lambda: None, minutes=2), *extra_callbacks, interrupt]
        while progress.epoch < self.epochs and not (stopping and stopping.satisfied):
            # An epoch that was interrupted has fewer steps to go than the others, so it is a call of its own.
            first, step = progress.epoch, progress.step
            try:
                with interrupt.listening():
                    self.game.fit(
                        self._stream(images, labels, steps, first, step),
                        shuffle=False,  # the stream is
                        steps_per_epoch=steps - step,
                        initial_epoch=first,
                        epochs=first + 1 if step else self.epochs,
                        validation_data=tuple(validation),
                        validation_batch_size=min(TEST_BATCH, len(validation[0])),
                        callbacks=around,
                        verbose=verbose,
                    )
            except KeyboardInterrupt:
                if not interrupt.forced:
                    save()
                raise

    def _stream(self, images, labels, steps, epoch, step):
        """Batches in an order, and with an augmentation, that depend on (seed, epoch, step) alone."""
        recipe, done = self.recipe, epoch * steps + step
        stream = batches(images, labels, recipe.batch_size, recipe.seed, epoch, step)
        for number, (x, y) in enumerate(stream, start=done):
            random = np.random.default_rng((recipe.seed, 1, number))
            yield moved(x, random, recipe.shift, recipe.flip, recipe.hole), y


def train_evaluator(name, out, *, data=None, extra_callbacks=(), verbose=1, **changes):
    """Train the evaluator of a data set into a folder and return it. It can be interrupted, and then goes on.

    changes: fields of its recipe in `RECIPES`, such as epochs=2; for other data than those of `RECIPES`, all of them
    start from those for images in colour.
    """
    recipe = replace(RECIPES.get(name, COLOUR), **changes)
    data = data or load(name)
    out = Path(out)
    around = {"extra_callbacks": extra_callbacks, "verbose": verbose}
    trained = fine_tune(recipe, data, pretrain(recipe, data), out.with_name(f"{out.name}.checkpoints"), **around)
    save(out, {"evaluator": trained}, data)
    return Evaluator(out)
