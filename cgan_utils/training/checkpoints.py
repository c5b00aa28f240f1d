"""The whole state of a training in one file, so that 'interrupted and resumed' equals 'never interrupted'.

Keras's own files leave out what a two-player model needs: the second optimizer and every seed generator's state.
"""

import json
import struct
from dataclasses import dataclass, field

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..backend import keras
from ..errors import CganError, one_line
from ..paths import whole


@dataclass
class Progress:
    """How far a training has come, and what it has seen on the way."""

    epoch: int = 0  # epochs finished
    step: int = 0  # steps done of the epoch under way
    seconds: float = 0.0  # spent on the epoch under way
    history: list = field(default_factory=list)  # a dict per finished epoch
    threads: int | None = None  # that computed it, on a CPU; None in checkpoints of older versions
    trained_as: list = field(default_factory=list)  # names of the experiments that this training has served
    losses: list = field(default_factory=list)  # a tuple per step, in the order of the game's `loss_names`
    evolution: dict = field(default_factory=dict)  # name, such as 'epoch_0005' → uint8 picture [H, W, C]


def save(path, game, progress, identity, remedy="go on with --resume"):
    """Write everything to `path`, under a temporary name first: a kill at any moment leaves the old file or the new.

    identity: JSON-able dict that a later `restore` must find unchanged. remedy: what to do once a full disk has room.
    Raises CganError for a disk that is full, and for weights that are no numbers, with which nothing can go on.
    """
    # In order "C": safetensors writes an array as it lies in memory, and on PyTorch some lie the other way round.
    tensors = {name: np.asarray(_numpy(variable), order="C") for name, variable in _variables(game).items()}
    if not all(np.isfinite(tensor).all() for tensor in tensors.values() if tensor.dtype.kind == "f"):
        kept = f" {path.name} stays as it was." if path.exists() else ""
        raise CganError(
            "Training stopped: a weight is no number any more; train again, into another folder, with a lower learning "
            f"rate or with precision float32.{kept}"
        )
    tensors["losses"] = np.asarray(progress.losses or np.empty((0, 2)), "float32")
    tensors |= {f"evolution/{name}": picture for name, picture in progress.evolution.items()}
    numbers = {k: v for k, v in vars(progress).items() if k not in ("losses", "evolution")}
    try:
        with whole(path) as temporary:
            save_file(tensors, temporary, {"progress": json.dumps(numbers), "identity": json.dumps(identity)})
    except (SafetensorError, OSError) as error:
        raise CganError(f"{path} can't be written ({one_line(error)}); make room there, and {remedy}.") from None


def read_identity(path):
    """The identity that the file was saved with; raises CganError if there is none, or it is damaged."""
    with _opened(path) as file:
        return json.loads(file.metadata()["identity"])


def read_progress(path, identity=None):
    """The `Progress` in the file. Raises CganError if it is damaged or, given an identity, of another training."""
    with _opened(path) as file:
        metadata = file.metadata()
        theirs = json.loads(metadata["identity"])
        identity = theirs if identity is None else identity
        names = [name for name in {**theirs, **identity} if theirs.get(name) != identity.get(name)]
        changed = [f"{name} {theirs.get(name, 'default')} → {identity.get(name, 'default')}" for name in names]
        if "data" in names:  # two fingerprints would say nothing to anybody
            changed[names.index("data")] = "other images, or more or fewer of them"
        if changed:
            raise CganError(
                f"{path} is of a training with other settings ({'; '.join(changed)}); "
                "use the same ones, or train into another folder."
            )
        progress = Progress(**json.loads(metadata["progress"]))
        if theirs.get("loss") == "relativistic" and any("precision" in row for row in progress.history):
            # An older version scored single logits there, which means nothing.
            single = ("accuracy", "precision", "recall", "f1")
            scores = [f"{when}{score}" for when in ("", "val_", "seen_") for score in single]
            progress.history = [{k: v for k, v in row.items() if k not in scores} for row in progress.history]
        progress.losses = [tuple(map(float, pair)) for pair in file.get_tensor("losses")]
        pictures = [key for key in file.keys() if key.startswith("evolution/")]  # noqa: SIM118 (not a dict)
        progress.evolution = {key.partition("/")[2]: file.get_tensor(key) for key in pictures}
    return progress


def restore(path, game):
    """Put every weight, optimizer slot, seed and metric of `game` back to what it was when the file was written."""
    _fill(_variables(game), path)


def restore_metrics(path, game):
    """Put the metrics of `game` alone back."""
    metrics = {id(variable) for metric in game.metrics for variable in metric.variables}
    _fill({name: variable for name, variable in _variables(game).items() if id(variable) in metrics}, path)


def _fill(variables, path):
    with _opened(path) as file:
        missing = [name for name in variables if name not in file.keys()]  # noqa: SIM118
        if missing:
            raise CganError(f"{path} does not hold {missing[0]}; it was written by another version of the networks.")
        for name, variable in variables.items():
            variable.assign(file.get_tensor(name))


def _variables(game):
    """Every variable that a training step reads or writes, under a name that is the same in every process."""
    owners = [game, *game.optimizers, *game.metrics]
    unique = {id(variable): variable for owner in owners for variable in owner.variables}
    named = {f"{i:03d}/{variable.name}": variable for i, variable in enumerate(unique.values())}
    # The losses of the last steps are in the progress already, and how many there are depends on the device.
    return {name: variable for name, variable in named.items() if variable is not game.batch_losses}


def _numpy(variable):
    return keras.ops.convert_to_numpy(variable.value)


def _opened(path):
    try:
        return safe_open(path, framework="numpy")
    except FileNotFoundError:
        raise CganError(f"There is no checkpoint at {path}.") from None
    except (SafetensorError, struct.error, OSError) as error:
        raise CganError(f"{path} is damaged ({error}); delete it and train again.") from None
