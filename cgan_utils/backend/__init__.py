"""Keras, loaded without noise, and the only room where TensorFlow, PyTorch and JAX differ: a file for each.

Other modules take `keras` from here: TensorFlow prints notices about GPUs straight to the terminal, also into the
notebook, while it loads, and heeds no setting.
"""

import contextlib
import ctypes
import os
import platform
from pathlib import Path

from ..errors import CganError, one_line


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


if "KERAS_BACKEND" in os.environ:  # Keras itself knows one spelling of each
    _asked = os.environ["KERAS_BACKEND"].strip().lower()
    os.environ["KERAS_BACKEND"] = {"pytorch": "torch"}.get(_asked, _asked)

try:
    with _silent_stderr():
        import keras
except (ImportError, ValueError) as error:
    raise CganError(
        f"Keras can't start ({one_line(error)}); install what it asks for, or set KERAS_BACKEND to tensorflow or "
        "torch, whichever is installed, and start again."
    ) from None

# All networks here are written so, whatever a user's keras.json says.
keras.config.set_image_data_format("channels_last")
BACKEND = keras.backend.backend()
PRECISIONS = ("auto", "float32", "mixed_bfloat16")

if BACKEND == "tensorflow":
    from . import in_place as _steps
    from . import tensorflow as _own
elif BACKEND == "torch":
    from . import in_place as _steps
    from . import torch as _own
elif BACKEND == "jax":
    from . import jax as _own

    _steps = _own
else:
    raise CganError(f"Keras runs on {BACKEND!r} here; set KERAS_BACKEND to tensorflow, torch or jax and start again.")
COMPILED, VERSION = _own.COMPILED, _own.VERSION
value_and_gradients, no_gradients, feed, gpu = _own.value_and_gradients, _own.no_gradients, _own.feed, _own.gpu
step, joined, callbacks = _steps.step, _steps.joined, _steps.callbacks
divided, machines, any_machine = _steps.divided, _steps.machines, _steps.any_machine


@contextlib.contextmanager
def channels_last():
    """Within it, or within a function it decorates, layers are made for [N, H, W, C], whatever was set since."""
    previous = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(previous)


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
    card = gpu()
    flags = _cpu_info("flags").split()
    native = card[1] if card else bool({"avx512_bf16", "amx_bf16"} & set(flags))
    return "mixed_bfloat16" if native else "float32"


def threads():
    """How many threads share one operation on the CPU: as the backend was told, else one for each core of the process.

    Sums that are divided otherwise are rounded otherwise.
    """
    if BACKEND == "torch":
        import torch

        return torch.get_num_threads()
    told = _own.threads() if BACKEND == "tensorflow" else 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return told or cores


def copied(network):
    """A Keras model of the same layers, freshly initialised. Keras asks TensorFlow meanwhile, on any backend."""
    with _silent_stderr():
        return keras.models.clone_model(network)


def steps_per_call(wanted=None):
    """How many training steps a call takes; by default what suits the device. CganError for several where one can't."""
    if (wanted or 1) > 1 and BACKEND != "jax":
        raise CganError(f"Several steps per call need JAX, and Keras runs on {BACKEND}; leave steps_per_call out.")
    return wanted or _steps.steps_per_call()


def join(coordinator, machines, machine):
    """Makes this process one of several machines that train together; to be called before anything is computed.

    coordinator: "host:port" of the first machine; machines: how many there are; machine: which one this is, from 1.
    """
    if not isinstance(machines, int) or not isinstance(machine, int) or not 1 <= machine <= machines:
        raise CganError(f"Machine {machine} of {machines} makes no sense; number the machines from 1 on.")
    if BACKEND != "jax":
        raise CganError(f"Several machines need JAX, and Keras runs on {BACKEND}.")
    _own.join(coordinator, machines, machine)


def shared(devices, batch_size):
    """A context in which networks are built on so many devices, or "all", that divide each batch; None: on one.

    Raises CganError if there are fewer, if the batch can't be divided, and for several devices without JAX.
    """
    if devices is None:
        return contextlib.nullcontext()
    if devices != "all" and not hasattr(devices, "__index__"):
        raise CganError(f"devices is {devices!r}; give a whole number, or all.")
    if BACKEND != "jax":
        raise CganError(f"Several devices need JAX, and Keras runs on {BACKEND}; leave devices out.")
    return _own.shared(devices, batch_size)


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
    card = gpu()
    if card:
        return card[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = _cpu_info("model name") or platform.processor() or platform.machine()
    return f"{name}, {cores} core{'s' * (cores != 1)}"


def versions():
    """Version of each library that a run's numbers depend on."""
    import numpy

    from .. import __version__

    return {
        "cgan_utils": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": BACKEND,
        BACKEND: VERSION,
        "numpy": numpy.__version__,
    }
