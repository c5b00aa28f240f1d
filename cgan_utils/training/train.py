"""`train(experiment)`: from a row of the catalogue to a run on disk, through any number of interruptions."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from .. import backend
from ..backend import keras
from ..data.datasets import load
from ..data.image_dataset import ImageDataset
from ..data.known import NAMES, SHAPES
from ..errors import CganError, notice, one_line, unknown
from ..files import BEST
from ..models.architectures import architecture, conditional
from ..models.autoencoders import Autoencoder
from ..models.class_noise import ClassNoiseVAE
from ..models.experiments import Experiment
from ..models.experiments import experiment as find_experiment
from ..models.gan import ConditionalGAN
from ..models.losses import adversarial_loss
from ..models.networks import build, build_encoder, build_generator
from ..models.projected import fill_teacher
from ..models.vae import ConditionalVAE
from ..paths import expanded, put_back
from ..results.evaluation import as_learned
from ..results.writing import write_run
from . import callbacks, checkpoints
from .batches import InBatches, batches, stacked
from .places import checkpoint_of, finished, in_use, newest, not_begun, numbered, reserved, taken, to_go_on
from .record import record_of
from .scoring import Score, best_epoch
from .teachers import teacher_of

SEEN = 5_000  # training images, at most, that are judged like test images after each epoch


def make_game(settings, data, dtype=None, teacher=None, **options):
    """The compiled `Game` of an `Experiment` for an `ImageDataset`, initialised from its seed.

    teacher: what its discriminator looks through, if it does; by default the one that ships. options: of `compile`.
    """
    if settings.game == "gan":
        return make_gan(settings, data, dtype, teacher, **options)
    keras.utils.set_random_seed(settings.seed)
    builders = (build_encoder, build_generator)
    networks = [make(settings.architecture, data.classes, data.shape, dtype) for make in builders]
    if settings.game == "vae":
        kind = ClassNoiseVAE if architecture(settings.architecture).class_noise else ConditionalVAE
        game = kind(*networks, settings.pixel_variance, settings.seed)
    else:
        game = Autoencoder(*networks)
    game.compile(make_optimizer(settings, data), **options)
    return game


def make_gan(settings, data, dtype=None, teacher=None, **options):
    """The compiled `ConditionalGAN` of an `Experiment` whose game is 'gan'; the arguments are those of `make_game`."""
    keras.utils.set_random_seed(settings.seed)
    networks = build(settings.architecture, data.classes, data.shape, dtype)
    if teacher := teacher or teacher_of(settings, data):
        fill_teacher(networks[1], teacher.network)
    fields = {name: getattr(settings, name) for name in ("update", "averaging", "seed", "draw_averaged")}
    gan = ConditionalGAN(*networks, **fields)
    loss = adversarial_loss(settings.loss, settings.label_smoothing, settings.label_noise, settings.seed)
    optimizers = make_optimizer(settings, data, settings.d_learning_rate), make_optimizer(settings, data)
    gan.compile(loss, *optimizers, **options)
    return gan


def make_optimizer(settings, data, learning_rate=None):
    """The optimizer of an `Experiment`; a rate that falls does so over its epochs of an `ImageDataset`."""
    rate = learning_rate or settings.learning_rate
    if settings.schedule == "cosine":  # Loshchilov and Hutter 2017, equation 5
        rate = keras.optimizers.schedules.CosineDecay(rate, settings.epochs * _steps(settings, data))
    if settings.optimizer == "adam":
        return keras.optimizers.Adam(rate, beta_1=settings.beta_1, beta_2=settings.beta_2)
    return keras.optimizers.RMSprop(rate)


def train(
    experiment,
    out=None,
    *,
    resume=False,
    data=None,
    background="white",
    limit_images=None,
    precision="auto",
    checkpoint_minutes=5.0,
    checkpoint_steps=None,
    score=None,
    minutes=None,
    steps_per_call=None,
    compiled=None,
    devices=None,
    verbose=1,
    extra_callbacks=(),
    **changes,
):
    """Train an experiment (a name or an `Experiment`) and return its `Run`.

    out: folder of the run, by default a new one in runs/. Beside it lies a checkpoint with the whole state
    (`<out>.checkpoint`). Both are written after an epoch, but not twice in a minute, and at the end; the checkpoint
    every `checkpoint_minutes`, too. A process that is killed loses what came since.
    resume: go on from that checkpoint; on a CPU, with the same number of threads, the result equals, bit for bit,
    that of a run never interrupted. A notice says so where that number has changed.
    minutes: stop after so long as after a Ctrl-C, for a machine that is lent for a time; reading the data counts.
    steps_per_call: JAX compiles so many steps into one call, after which alone a training stops or saves; by default
    as many as keep a graphics card busy, and one on a CPU.
    compiled: whether XLA compiles the step; by default on JAX alone, since its convolutions are slow on a CPU.
    devices: with JAX, so many devices, or "all", divide each batch; see `backend.shared`. Of several machines (see
    `backend.join`) the first one writes files, and the others return None; to resume, each needs the checkpoint.
    score: after each epoch have so many drawings of each class judged; see `scoring.Score`.
    data: an `ImageDataset`, or the name or folder of one; by default the experiment's. background: see `load`.
    changes: fields of the experiment, such as epochs=5, or d_learning_rate=None for no rate of the discriminator's own.
    Ctrl-C, or the SIGTERM with which a cluster ends a job, stops after the step under way and keeps what was trained;
    a second one stops at once, and what the last checkpoint holds is kept.

    Raises CganError for bad settings, data that are not there, a checkpoint that does not fit, losses that are no
    numbers, and a generator that collapsed.
    """
    counts = {"limit_images": limit_images, "score": score, "checkpoint_steps": checkpoint_steps}
    counts["steps_per_call"] = steps_per_call
    times = {"minutes": minutes, "checkpoint_minutes": checkpoint_minutes}
    for name, value in (counts | times).items():
        if value is not None and not value > 0:  # "not a number" is not above 0 either
            raise CganError(f"{name} is {value}; give a number above 0, or leave it out.")
        if value is not None and name in counts and not hasattr(value, "__index__"):
            raise CganError(f"{name} is {value}; give a whole number, or leave it out.")
    settings = experiment if isinstance(experiment, Experiment) else find_experiment(experiment)
    settings = replace(settings, **changes)
    if settings.dataset not in NAMES:
        raise CganError(unknown("data set", settings.dataset, NAMES))
    if score and settings.game == "autoencoder":
        raise CganError("The codes of an autoencoder follow no law to draw them from, so no drawing can be scored.")
    folders = [expanded(out).absolute()] if out else numbered(settings.name)
    if out and not folders[0].name:
        raise CganError(f"{out} can't be the folder of a run; name a new one in it.")
    put_back(folders[0].parent)
    interrupt = callbacks.Interruptible(minutes)
    if resume and not to_go_on(newest(folders)):
        raise CganError(not_begun(newest(folders)))
    if not resume and all(map(taken, folders)):
        raise CganError(in_use(folders[0]))
    if compiled and backend.BACKEND == "torch":
        raise CganError("XLA compiles no step of PyTorch; leave compiled out.")
    policy, together = backend.precision(precision), backend.steps_per_call(steps_per_call)
    several = backend.shared(devices, settings.batch_size)
    machine, machines = backend.machines()
    place = nullcontext(newest(folders) if resume else folders[0]) if machine > 1 else reserved(folders, resume)
    with several, place as out:
        resume = resume and checkpoint_of(out).exists()  # what was killed before its first checkpoint begins again
        if not isinstance(data, ImageDataset):
            data = load(data or settings.dataset, size=SHAPES[settings.dataset][0], background=background)
        whole, data = data, data.limited(limit_images) if limit_images else data
        if resume:  # pictures may have come or gone since it began
            begun = checkpoints.read_identity(checkpoint_of(out)).get("data")
            data = as_learned(whole, begun, limit_images) or data
        identity = {**settings.settings(), "data": data.fingerprint, "precision": policy}
        identity |= {"score": score} if score else {}
        progress = checkpoints.read_progress(checkpoint_of(out), identity) if resume else checkpoints.Progress()
        done = finished(out) if progress.epoch >= settings.epochs and machines == 1 else None
        if done and done.record["training"]["epochs"] == progress.epoch:
            return done  # and its evaluation stays
        if len(data.x_train) < settings.batch_size:
            few = f"{len(data.x_train)} images don't fill a batch of {settings.batch_size}"
            raise CganError(f"{few}; use a smaller batch.")
        threads = backend.threads()
        if progress.threads and progress.threads != threads and not backend.gpu():
            notice(
                f"This training had {progress.threads} threads of the processor, and has {threads} now: sums round "
                "otherwise, so it does not end bit for bit where it would have ended."
            )
        progress.threads = threads
        if settings.name not in progress.trained_as:
            progress.trained_as.append(settings.name)

        named = data.class_names if conditional(settings.architecture) else None
        empty = np.setdiff1d(np.arange(data.classes), data.y_train) if named else ()
        if len(empty) and not resume:
            some = ", ".join(data.class_names[label] for label in empty[:10]) + (", …" if len(empty) > 10 else "")
            notice(f"Without an image to learn from, and so drawn at random: {some}; allow more images.")
        # Before minutes are spent on a teacher, and among the same devices as the game.
        scorer = Score(progress, data, len(named or "1"), score) if score else None
        beside = out.with_name(f"{out.name}.teacher") if machines == 1 else None
        teacher = teacher_of(settings, data, beside, [interrupt])
        options = {} if compiled is None else {"jit_compile": compiled}
        game = make_game(settings, data, policy, teacher, steps_per_call=together, **options)
        if scorer:
            game.add_best()
        training = _Training(game, settings, data, progress, out, identity, teacher)
        if resume:
            checkpoints.restore(training.checkpoint, game)
        around = [
            callbacks.Resume(training.checkpoint if resume else None, progress),
            *([scorer] if scorer else []),
            callbacks.Seen(InBatches(data.x_train, data.y_train, min(len(data.x_test), SEEN))),
            callbacks.Recorder(progress, _steps(settings, data)),
            callbacks.Guard(progress, data.classes),
            callbacks.Evolution(progress, named),
            callbacks.Saver(training.save_state, training.try_run, checkpoint_minutes, checkpoint_steps),
            *extra_callbacks,
            interrupt,  # the last one, so that the others see the step or the epoch after which it stops
        ]
        return training.go(around, interrupt, verbose)


class _Training:
    """A game with its data, and where its state and its run are saved."""

    def __init__(self, game, settings, data, progress, out, identity, teacher):
        self.game, self.settings, self.data, self.progress, self.out = game, settings, data, progress, out
        self.identity, self.teacher, self.checkpoint = identity, teacher, checkpoint_of(out)
        self.written = {}  # {steps done: the run}: the end of the last epoch is the end of the training, too
        self.said = False  # that the folder of the run can't be replaced

    def save_state(self):
        if backend.machines()[0] == 1:
            checkpoints.save(self.checkpoint, self.game, self.progress, self.identity)

    def try_run(self):
        """Write the run; if its folder can't be replaced, as on Windows while a file of it is open, say so once.

        The state is in the checkpoint, and after a later epoch it may work.
        """
        try:
            self.save_run()
        except PermissionError:
            if not self.said:
                notice(f"\n{self._held()}; the training goes on, and tries it again after later epochs.")
            self.said = True
        except OSError as error:
            raise self._full(error) from None

    def _held(self):
        return f"{self.out} can't be replaced, since a program, such as a spreadsheet, has a file of it open"

    def _full(self, error):
        place = f"The run can't be written to {self.out} ({one_line(error)})"
        return CganError(f"{place}; make room there, and go on with --resume (in Python resume=True).")

    def save_run(self):
        if backend.machines()[0] > 1:
            return None
        steps, progress = len(self.progress.losses), self.progress
        if steps not in self.written:
            record = record_of(self.settings, self.data, self.game, progress, self.identity["precision"], self.teacher)
            # The best network is kept once an epoch was scored; until then it is as it was initialised.
            kept = {k: v for k, v in self.game.kept.items() if k != BEST or best_epoch(progress.history)}
            run = write_run(self.out, record, kept, progress.history, progress.losses, progress.evolution)
            self.written = {steps: run}
        return self.written[steps]

    def go(self, around, interrupt, verbose):
        """Train to the end, or until a Ctrl-C; returns the run."""
        stopped = False
        try:
            with interrupt.listening(), backend.freed_memory_kept():
                _fit(self.game, self.data, self.settings, self.progress, around, verbose)
        except KeyboardInterrupt:
            if interrupt.forced:
                raise
            self.save_state()
            stopped = self.progress.epoch < self.settings.epochs
        try:
            run = self.save_run()
        except PermissionError:
            mend = "close it, and the same command with --resume (in Python resume=True) writes what was trained"
            raise CganError(f"{self._held()}; {mend}.") from None
        except OSError as error:
            raise self._full(error) from None
        if stopped:
            notice(f"\nStopped in epoch {self.progress.epoch + 1}; what was trained is in {self.out}.")
        return run


def _steps(settings, data):
    """Of an epoch."""
    return len(data.x_train) // settings.batch_size


def _fit(game, data, settings, progress, around, verbose):
    """Finish the epoch under way, if any, then run the others."""
    steps, together = _steps(settings, data), game.batch_losses.shape[0]
    spans = [(progress.epoch, min(progress.epoch + 1, settings.epochs), progress.step)] if progress.step else []
    spans += [(progress.epoch + len(spans), settings.epochs, 0)]
    for first, end, step in spans:
        if first >= end:
            continue
        how = {"group": settings.group, "mirror": settings.mirror}
        stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed, first, step, **how)
        game.fit(
            stacked(stream, together, steps, step) if together > 1 else stream,
            shuffle=False,  # `batches` has shuffled
            steps_per_epoch=-(-(steps - step) // together),
            initial_epoch=first,
            epochs=end,
            validation_data=InBatches(data.x_test, data.y_test, len(data.x_test)),
            callbacks=around,
            verbose=verbose,
        )
