"""Writing a run, whole or not at all."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from ..files import AVERAGED, BEST, CARD, ENCODER, EVOLUTION, HISTORY, LAST, LOSSES, METRICS, RECORD
from ..images import to_png
from ..paths import whole_folder
from .card import CURVES, card
from .run import FORMAT, Run
from .weights import pack

OWN = {RECORD, CARD, HISTORY, LOSSES, METRICS, f"{CURVES}.png", EVOLUTION, LAST, AVERAGED, BEST, ENCODER}


def write_run(path, record, networks, history, losses, evolution):
    """Write a run's folder, complete or not at all, and return it opened. Files of somebody else's in it stay.

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
                (shutil.copytree if other.is_dir() else shutil.copy2)(other, new / other.name)
    return Run(path)
