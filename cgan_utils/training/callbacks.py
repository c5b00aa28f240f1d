"""What happens around the training steps: recording, pictures, safety, checkpoints."""

import contextlib
import signal
import threading
import time

import numpy as np

from .. import backend
from ..backend import keras
from ..errors import CganError
from ..images import grid
from ..models.experiments import ALL_CLASSES, shown_classes
from ..models.sampling import draw
from . import checkpoints

COLUMNS = 10  # seeds of an evolution picture
SQUARE = 6  # rows and columns where there are no classes


class Recorder(keras.callbacks.Callback):
    """Keeps `progress` up to date: losses of each iteration, a row per epoch, seconds.

    steps: of an epoch; a call takes as many as `batch_losses` has rows, the last one what is left.
    """

    def __init__(self, progress, steps):
        super().__init__()
        self.progress, self.steps = progress, steps

    def on_epoch_begin(self, epoch, logs=None):
        self._since = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        losses = np.asarray(keras.ops.convert_to_numpy(self.model.batch_losses))
        new = losses[-min(len(losses), self.steps - self.progress.step) :]
        self.progress.step += len(new)
        self.progress.losses.extend(map(tuple, new.tolist()))
        now = time.monotonic()
        self.progress.seconds += now - self._since
        self._since = now

    def on_epoch_end(self, epoch, logs=None):
        progress = self.progress
        progress.seconds += time.monotonic() - self._since
        numbers = {name: float(value) for name, value in logs.items()}
        progress.history.append({"epoch": epoch + 1, "seconds": round(progress.seconds, 2), **numbers})
        progress.epoch, progress.step, progress.seconds = epoch + 1, 0, 0.0


class Seen(keras.callbacks.Callback):
    """After each epoch judges images that were trained on as the test images are judged: columns seen_… of the history.

    The scores of the training itself are means over an epoch, taken in training mode: with dropout, and normalised by
    the batch. They differ from those of test images (val_…) for these reasons, too. Seen and test images are treated
    alike, so that a difference between them comes from having been seen: it is overfitting, and nothing else.

    images: what `Model.evaluate` takes.
    """

    def __init__(self, images):
        super().__init__()
        self.images = images

    def on_epoch_end(self, epoch, logs=None):
        scores = self.model.evaluate(self.images, return_dict=True, verbose=0)
        logs.update({f"seen_{name}": value for name, value in scores.items()})


class Evolution(keras.callbacks.Callback):
    """Draws the same classes from the same seeds before training and after each epoch.

    It keeps epochs 0 to 3, every fifth, and the last one so far. A row is a class, a column a seed; of very many
    classes some are chosen, and one more picture shows all of them. Without classes (None) it is a square of seeds,
    and every epoch is kept. Of a long training every second is dropped as often as there are more than `MOST`.
    """

    MOST = 60

    def __init__(self, progress, class_names):
        super().__init__()
        self.progress, self.class_names = progress, class_names

    @property
    def sheet(self):
        """Labels, seeds and columns of a picture."""
        if not self.class_names:
            return np.zeros(SQUARE**2, int), range(SQUARE**2), SQUARE
        rows = shown_classes(self.class_names)
        return np.repeat(rows, COLUMNS), np.tile(np.arange(COLUMNS), len(rows)), COLUMNS

    def on_train_begin(self, logs=None):
        if not self.progress.epoch and not self.progress.step:
            self.draw(0)

    def on_epoch_end(self, epoch, logs=None):
        self.draw(epoch + 1)
        gap = 5 if self.class_names else 1
        while epoch + 1 > gap * self.MOST:
            gap *= 2
        for past in range(4, epoch + 1):
            if past % gap:
                self.progress.evolution.pop(self._name(past), None)

    @staticmethod
    def _name(epoch):
        return f"epoch_{epoch:04d}"

    def draw(self, epoch):
        labels, seeds, columns = self.sheet
        self.progress.evolution[self._name(epoch)] = grid(self.model.paint(labels, seeds), columns)
        if self.class_names and len(set(labels)) < len(self.class_names):
            count = len(self.class_names)
            images = self.model.paint(np.repeat(np.arange(count), 3), np.tile(np.arange(3), count))
            self.progress.evolution[ALL_CLASSES] = grid(images, columns=30)


class Guard(keras.callbacks.Callback):
    """Stops a training that can't recover: a loss that is no number, or a generator that ignores its noise."""

    LEAST_SPREAD = 0.25  # grey levels between four drawings of a class, mean over pixels; fresh networks: 1.6 to 5
    LOOK_EVERY = 1000  # iterations between two looks at the images; the loss is checked at each one

    def __init__(self, progress, classes):
        super().__init__()
        self.progress, self.labels = progress, np.repeat(np.arange(min(classes, 10)), 4)
        self.looked = 0  # after how many iterations

    def on_train_batch_end(self, batch, logs=None):
        losses = self.progress.losses[-1]
        if not np.isfinite(sum(losses)):
            kept = " The run as it was last saved is kept." if self.progress.epoch else ""
            raise CganError(
                f"Training stopped: the losses became {' and '.join(map(str, losses))}; "
                f"lower the learning rate, or train with precision float32.{kept}"
            )
        if len(self.progress.losses) >= self.looked + self.LOOK_EVERY:
            self._look()

    def on_epoch_end(self, epoch, logs=None):
        self._look()

    def _look(self):
        self.looked = len(self.progress.losses)
        images = draw(self.model.generator, self.labels, range(len(self.labels)))
        by_class = images.reshape(-1, 4, *images.shape[1:])
        if np.ptp(by_class, axis=1).mean() < self.LEAST_SPREAD:
            raise CganError(
                "Training stopped: the generator collapsed, it draws the same image whatever the noise; "
                "start again with another seed, some label smoothing, or a lower learning rate."
            )


class Interruptible(keras.callbacks.Callback):
    """Turns Ctrl-C (and a notebook's stop button) into a stop between two steps, where the state is whole.

    So it does with SIGTERM, by which Slurm, Kubernetes and others announce that a job is about to be killed.
    A second one stops at once, in the middle of things (`forced`): then only the last checkpoint is whole.
    After `minutes`, if given, it stops in the same way by itself.
    """

    def __init__(self, minutes=None):
        super().__init__()
        self.requested = self.forced = False
        self.end = time.monotonic() + 60 * minutes if minutes else float("inf")

    @contextlib.contextmanager
    def listening(self):
        if threading.current_thread() is not threading.main_thread():
            yield  # signals reach the main thread only
            return
        previous = {number: signal.signal(number, self._request) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler or signal.SIG_DFL)  # None: one that Python did not set

    def _request(self, signum, frame):
        if self.requested:
            self.forced = True
            raise KeyboardInterrupt
        self.requested = True

    def on_train_batch_end(self, batch, logs=None):
        self.requested = backend.any_machine(self.requested or time.monotonic() > self.end)
        # After the last step the epoch must end: a state with no steps and no evaluation left can't be gone on with.
        if self.requested and batch + 1 < self.params["steps"]:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.requested:
            raise KeyboardInterrupt


class Resume(keras.callbacks.Callback):
    """Gives the metrics of an epoch that was interrupted back when it goes on, since Keras has just emptied them."""

    def __init__(self, path, progress):
        super().__init__()
        self.path, self.progress = path, progress

    def on_epoch_begin(self, epoch, logs=None):
        if self.path and self.progress.step:
            checkpoints.restore_metrics(self.path, self.model)
        self.path = None


class Saver(keras.callbacks.Callback):
    """Calls `save_state` every `minutes`, or every `steps` if given, and `save_state` and `save_run` after an epoch.

    That is after the first and the last epoch, and after others if it was not done in the last minute: an epoch of few
    images takes seconds, and what there is to save may be 100 MB. A process that is killed loses that minute at most.
    """

    PAUSE = 60  # seconds between two epochs that are saved, or `minutes`, if less

    def __init__(self, save_state, save_run, minutes, steps=None):
        super().__init__()
        self.save_state, self.save_run = save_state, save_run
        self.seconds, self.steps, self._saved = 60 * minutes, steps, time.monotonic()
        self._ended = -float("inf")  # when the last epoch was saved

    def on_train_batch_end(self, batch, logs=None):
        due = (batch + 1) % self.steps == 0 if self.steps else time.monotonic() - self._saved > self.seconds
        if due and batch + 1 < self.params["steps"]:  # after the last step the epoch's end saves
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if last or time.monotonic() - self._ended >= min(self.PAUSE, self.seconds):
            self._save()
            self.save_run()
            self._ended = self._saved

    def _save(self):
        self.save_state()
        self._saved = time.monotonic()
