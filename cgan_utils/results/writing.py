"""Writing a run, whole or not at all."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import notice, one_line
from ..files import AVERAGED, BEST, CARD, ENCODER, EVOLUTION, HISTORY, LAST, LOSSES, METRICS, RECORD
from ..images import to_png
from ..paths import whole_folder
from .card import CURVES, card
from .run import FORMAT, Run
from .weights import pack

OWN = {RECORD, CARD, HISTORY, LOSSES, METRICS, f"{CURVES}.png", EVOLUTION, LAST, AVERAGED, BEST, ENCODER}


def write_run(path, record, networks, history, losses, evolution):
    """Write a run's folder, complete or not at all, and return it opened. Other files beside its own stay.

    record: run.json without 'format' and 'weights'; networks: {LAST: model, …}; history: list of dicts;
    losses: [steps, k]; evolution: {file name without ending: uint8 picture}.
    """
    path = Path(path)
    weights = {file: pack(model) for file, model in networks.items()}
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in weights.items()}
    record = {"format": FORMAT, **record, "weights": hashes}
    with whole_folder(path) as new:
        (new / EVOLUTION).mkdir()
        for file, content in weights.items():
            (new / file).write_bytes(content)
        (new / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (new / CARD).write_text(card(path, record, history, evolution), encoding="utf-8")
        table = pd.DataFrame(history, columns=None if history else ["epoch", "seconds"]).round(6)
        table.to_csv(new / HISTORY, index=False, lineterminator="\n")
        np.savez_compressed(new / LOSSES, losses=np.asarray(losses or np.empty((0, 2)), "float32"))
        for name, picture in evolution.items():
            (new / EVOLUTION / f"{name}.png").write_bytes(to_png(picture))
        for other in path.iterdir() if path.is_dir() else ():  # what somebody else put there
            if other.name not in OWN:
                _keep(other, new)
    return Run(path)


def _keep(other, folder):
    """Put a file or folder of somebody else's into another folder, too: links stay links, and no content is copied."""
    try:
        if other.is_dir() and not other.is_symlink():
            shutil.copytree(other, folder / other.name, symlinks=True, copy_function=_link)
        else:
            _link(other, folder / other.name)
    except OSError as error:
        notice(f"{other} is lost, since it can't be kept beside the run ({one_line(error)}); put such files elsewhere.")


def _link(source, target):
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without links
        shutil.copy2(source, target, follow_symlinks=False)
