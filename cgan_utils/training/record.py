"""What run.json says of a training: what was trained, on what, for how long, with which versions."""

from dataclasses import asdict

import numpy as np

from .. import backend
from ..files import AVERAGED, BEST, LAST
from .scoring import best_epoch


def record_of(settings, data, game, progress, policy, teacher=None):
    """run.json, as a dict, less what only `write_run` knows."""
    seconds = [row["seconds"] for row in progress.history]
    steps, best = len(progress.losses), best_epoch(progress.history) if game.best else None
    return {
        "experiment": asdict(settings),
        "data": {
            "name": data.name,
            "title": data.title,
            "stand_in": data.stand_in,
            "folder": data.folder,
            **({"background": data.background} if data.folder else {}),
            **({"labels": data.labels} if data.labels else {}),
            "fingerprint": data.fingerprint,
            "images": len(data.x_train),
            "test_images": len(data.x_test),
            "shape": list(data.shape),
            "class_names": list(data.class_names),
        },
        "parameters": {name: network.count_params() for name, network in game.networks.items()},
        **({"teacher": {"accuracy": teacher.accuracy, "sha256": teacher.sha256}} if teacher else {}),
        "training": {
            "epochs": progress.epoch,
            **({"best_epoch": best} if best else {}),
            "steps": steps,
            "images_seen": steps * settings.batch_size,
            "complete": progress.epoch >= settings.epochs,
            "seconds_per_epoch": round(float(np.median(seconds)), 1) if seconds else 0.0,
            "machine": backend.machine(),
            "threads": progress.threads,
            "precision": policy,
            "trained_as": progress.trained_as,
        },
        "versions": backend.versions(),
        "draws_with": BEST if best else AVERAGED if settings.draw_averaged else LAST,
    }
