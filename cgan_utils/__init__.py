"""The shared package of the cGAN notebooks, in six rooms.

    data       images and labels
    models     networks, losses and training steps
    results    trained runs on disk, and how good their images are
    training   the loop around the step
    views      figures, the explorer, what notebooks show
    lessons    what one notebook alone needs

A room imports from those above it, never from those below; `backend`, `errors`, `files`, `images` and `paths` serve
them all.
The names in `PUBLIC` can be had from here, as in `from cgan_utils import load, train`. Each is loaded when it is first
used, so that importing the package is instant.
"""

import importlib
import os

from . import streams

streams.complete()  # before any file is opened
# TensorFlow prints notices about missing GPUs and graph rewrites at error level; true errors arrive as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"

PUBLIC = {  # name: the module that defines it; `losses` is a module itself
    "load": "data.datasets",
    "build": "models.networks",
    "losses": "models",
    "experiment": "models.experiments",
    "EXPERIMENTS": "models.experiments",
    "Run": "results.run",
    "evaluate": "results.evaluation",
    "train": "training.train",
    "explore": "views.explorer",
}
__all__ = [*PUBLIC]


def __getattr__(name):
    if name not in PUBLIC:
        raise AttributeError(f"module 'cgan_utils' has no attribute {name!r}; it has: {', '.join(PUBLIC)}.")
    room = importlib.import_module(f".{PUBLIC[name]}", __name__)
    value = importlib.import_module(".models.losses", __name__) if name == "losses" else getattr(room, name)
    globals()[name] = value  # so that the next use finds it here
    return value


def __dir__():
    return sorted({*globals(), *PUBLIC})
