"""Keras, loaded without noise, and the only place where TensorFlow and PyTorch differ.

Other modules take `keras` from here: TensorFlow prints notices about GPUs straight to the terminal, also into the
notebook, while it loads, and heeds no setting.
"""

import contextlib
import ctypes
import functools
import itertools
import os
import platform
import types
from pathlib import Path

from .errors import CganError


@contextlib.contextmanager
def _silent_stderr():
    """Sends what native code writes to the standard error stream to nowhere."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


with _silent_stderr():
    import keras

BACKEND = keras.backend.backend()
PRECISIONS = ("auto", "float32", "mixed_bfloat16")

if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns of 'retracing' whenever images are drawn in a new number
    no_gradients = contextlib.nullcontext  # TensorFlow records nothing outside a tape

    def value_and_gradients(play, players):
        """Run `play()` → (losses, extra) and differentiate each loss with respect to its own player's weights.

        players: one list of Keras variables per loss. Returns losses, extra, and one list of gradients per loss.
        """
        with tf.GradientTape(persistent=True) as tape:
            losses, extra = play()
        gradients = [tape.gradient(loss, weights) for loss, weights in zip(losses, players, strict=True)]
        # An embedding's gradient comes as sparse rows; Keras's optimizers fail on those if they hold a NaN.
        return losses, extra, [[tf.convert_to_tensor(slope) for slope in slopes] for slopes in gradients]

    def feed(batches):
        """A generator or `PyDataset` of batches of arrays in a form that `fit` and `evaluate` leave without delay.

        Keras reads either through tf.data, with autotuning. A thread of it looks at the pipeline after 10, 20, 40, …
        milliseconds, at most a minute, and often the pipeline's end waits for the thread's next look: for as long
        again as it was in use. With nothing to tune there is no thread. Whatever else `fit` takes comes back as it is.
        """
        if isinstance(batches, keras.utils.PyDataset):
            first, count = batches[0], len(batches)
            read = functools.partial(map, batches.__getitem__, range(count))
        elif isinstance(batches, types.GeneratorType):
            first, count = next(batches), None
            read = functools.partial(itertools.chain, [first], batches)
        else:
            return batches
        shapes = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in first)
        dataset = tf.data.Dataset.from_generator(read, output_signature=shapes).prefetch(2)
        if count:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
        options = tf.data.Options()
        options.autotune.enabled = False
        return dataset.with_options(options)

    def _gpu():
        """(name, has bf16 units) of the first GPU, or None."""
        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return None
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("device_name", "GPU"), details.get("compute_capability", (0, 0)) >= (8, 0)

elif BACKEND == "torch":
    import torch

    no_gradients = torch.no_grad

    def value_and_gradients(play, players):
        """Run `play()` → (losses, extra) and differentiate each loss with respect to its own player's weights.

        players: one list of Keras variables per loss. Returns losses, extra, and one list of gradients per loss.
        """
        losses, extra = play()
        pairs = zip(losses, players, strict=True)
        gradients = [
            torch.autograd.grad(loss, [weight.value for weight in weights], retain_graph=True)
            for loss, weights in pairs
        ]
        return [loss.detach() for loss in losses], extra, gradients

    def feed(batches):
        """`batches` as they are: on PyTorch nothing waits at their end."""
        return batches

    def _gpu():
        """(name, has bf16 units) of the first GPU, or None."""
        if not torch.cuda.is_available():
            return None
        return torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= (8, 0)

else:
    raise CganError(f"Keras runs on {BACKEND!r} here; set KERAS_BACKEND to tensorflow or torch and start again.")


def _cpu_info(field):
    """One field of Linux's description of the processor, '' elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


def precision(choice="auto"):
    """The Keras dtype policy to train with: 'mixed_bfloat16' where the machine has bf16 units, else 'float32'.

    Without such units bfloat16 is emulated, 20 to 30 times slower. float16 is not offered: it needs loss scaling,
    which a model with two optimizers does not get from Keras.
    """
    if choice not in PRECISIONS:
        raise CganError(f"Precision {choice!r} is not offered; choose one of: {', '.join(PRECISIONS)}.")
    if choice != "auto":
        return choice
    gpu = _gpu()
    flags = _cpu_info("flags").split()
    native = gpu[1] if gpu else bool({"avx512_bf16", "amx_bf16"} & set(flags))
    return "mixed_bfloat16" if native else "float32"


# Options of glibc's mallopt(3), and their defaults.
_TRIM_THRESHOLD, _MMAP_MAX = (-1, 128 * 1024), (-4, 65536)


@contextlib.contextmanager
def freed_memory_kept():
    """Within it, glibc keeps the memory that one operation frees for the next one.

    By default every large block goes back to the system at once, and is cleared, page by page, before it is handed
    out again: about a tenth of the time of a training step on a CPU. Other C libraries are left as they are.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        adjust, give_back = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        yield
        return
    adjust(_TRIM_THRESHOLD[0], 2**31 - 1)  # keep what is free at the end of the heap
    adjust(_MMAP_MAX[0], 0)  # and take large blocks from the heap, too
    try:
        yield
    finally:
        for option, default in (_TRIM_THRESHOLD, _MMAP_MAX):
            adjust(option, default)
        give_back(0)


def machine():
    """What trained a run, in words: the GPU's name, or the processor's and the number of cores in use."""
    gpu = _gpu()
    if gpu:
        return gpu[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = _cpu_info("model name") or platform.processor() or platform.machine()
    return f"{name}, {cores} core{'s' * (cores != 1)}"


def versions():
    """Version of each library that a run's numbers depend on."""
    import numpy

    from . import __version__

    library = tf if BACKEND == "tensorflow" else torch
    return {
        "cgan_utils": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": BACKEND,
        BACKEND: str(library.__version__),
        "numpy": numpy.__version__,
    }
