"""All runs in one table, made from what ships with them: no number is typed by hand."""

from functools import cache

import numpy as np
import pandas as pd

from ..models.architectures import conditional
from ..models.networks import build, multiply_adds
from ..paths import by_name
from .run import Run, list_runs

PHRASES = {  # a verdict's words (see `verdicts`) in short, in English and Spanish
    "draws": ("draws the class asked for", "dibuja la clase pedida"),
    "often": ("often draws the class asked for", "dibuja a menudo la clase pedida"),
    "seldom": ("seldom draws the class asked for", "dibuja rara vez la clase pedida"),
    "ignores": ("draws no recognisable class", "no dibuja clases reconocibles"),
    "all": ("draws all classes", "dibuja todas las clases"),
    "misses": ("misses classes", "le faltan clases"),
    "collapsed": ("too little variety", "muy poca variedad"),
    "varied": ("varied and new", "variadas y nuevas"),
    "memorises": ("memorises", "memoriza"),
}


def phrase(keys, language=0):
    """A verdict's keys in words; language: 0 English, 1 Spanish."""
    return ", ".join(PHRASES[key][language] for key in keys)


def all_runs(runs=None):
    """A row for each run that draws from noise, by name; NaN where a measure does not apply or was not taken.

    runs: `Run`s, by default all that are at hand.
    """
    runs = [Run(path) for path in list_runs().values()] if runs is None else runs
    rows = {name: _row(run) for name, run in by_name(runs).items() if run.experiment.game != "autoencoder"}
    return pd.DataFrame(rows).T.infer_objects()


def _row(run):
    training, metrics = run.record["training"], run.metrics or {}
    drawn, real = metrics.get("drawn", {}), metrics.get("real", {})
    measured = {name: value["mean"] for name, value in drawn.items()}
    return {
        "data": run.record["data"]["title"],
        "parameters": run.record["parameters"]["generator"],
        "epochs": training["epochs"],
        "planned": run.experiment.epochs,
        "seconds per epoch": training["seconds_per_epoch"],
        "images seen": training["images_seen"],
        "operations / 10¹⁵": training["images_seen"] * operations(run.experiment, run.shape) / 1e15,
        "class accuracy": measured.get("class_accuracy", np.nan),
        "of real images": real.get("class_accuracy", np.nan),
        "Fréchet": measured.get("frechet", np.nan),
        "floor": real.get("frechet", np.nan),
        "precision": measured.get("precision", np.nan),
        "recall": measured.get("recall", np.nan),
        "coverage": measured.get("coverage", np.nan),
        "diversity": measured.get("diversity", np.nan) / (real.get("diversity") or np.nan),
        "verdict": phrase(metrics["verdict"]["keys"]) if metrics else "",
        "keys": tuple(metrics["verdict"]["keys"]) if metrics else (),
    }


def operations(experiment, shape):
    """Floating-point operations that training on one image of `shape` takes; NaN for networks that know no classes.

    A layer computes its output, the gradient of its weights and that of its input: three times its arithmetic. In a
    GAN the discriminator judges two batches, with two gradients of its weights, and three of what its layers get; the
    third is the generator's. A discriminator's layers that don't learn have one of them, the generator's. If the
    players take turns, each step draws and judges another batch: one more output of every layer. An encoder is counted
    as the discriminator that it is but for its end.
    """
    if not conditional(experiment.architecture):
        return np.nan
    generator, learning, frozen = _multiply_adds(experiment.architecture, shape)
    turns = experiment.update == "alternating"
    passes = 7 + turns if experiment.game == "gan" else 3
    return 2 * ((3 + turns) * generator + passes * learning + (3 + turns) * frozen)


@cache
def _multiply_adds(name, shape):
    generator, judge = build(name, 1, shape)
    return multiply_adds(generator), multiply_adds(judge, (True,)), multiply_adds(judge, (False,))


def by_class(runs):
    """Class accuracy of each class (rows) by each of the runs that know classes and were evaluated (columns)."""
    columns = {}
    for name, run in by_name(runs).items():
        if run.metrics and (shares := run.metrics["by_class"].get("class_accuracy")):
            columns[name] = dict(zip(run.class_names, shares, strict=True))
    return pd.DataFrame(columns)


def trainings(runs, last=5):
    """How the game of each of the runs went, a row each: means over its `last` epochs.

    loss, accuracy: the discriminator's, in nats and as a share; test …: on test images; noise: the standard deviation,
    over all epochs, of the loss on test images; gap: accuracy less test accuracy, in percentage points; overfitting:
    by how many points more of the images that were trained on are taken for real than of test images, judged alike
    (`callbacks.Seen`), NaN where that was not recorded. Drawings, half of what the accuracy counts, have no part in
    it: they are new each time. NaN, too, for what a run has no column of.
    """
    used = ["d_loss", "val_d_loss", "accuracy", "val_accuracy", "seen_recall", "val_recall"]
    rows = {}
    for name, run in by_name(runs).items():
        history = run.history.reindex(columns=run.history.columns.union(used))
        tail = history.tail(last)
        rows[name] = {
            "loss": tail["d_loss"].mean(),
            "test loss": tail["val_d_loss"].mean(),
            "noise": history["val_d_loss"].std(ddof=0),
            "accuracy": tail["accuracy"].mean(),
            "test accuracy": tail["val_accuracy"].mean(),
            "gap": 100 * (tail["accuracy"] - tail["val_accuracy"]).mean(),
            "overfitting": 100 * (tail["seen_recall"] - tail["val_recall"]).mean(),
        }
    return pd.DataFrame(rows).T


def change(before, after):
    """One measure of two runs, each as `metrics["drawn"]` holds it, side by side: {before, after: means; spread}.

    spread: how far the repetitions of a measurement differ, the larger of the two; a change within it means nothing.
    """
    spread = max(np.ptp(measure["values"]) for measure in (before, after))
    return {"before": before["mean"], "after": after["mean"], "spread": float(spread)}


def differences(rows):
    """{name: {field: value}} as a column per name, less the fields in which all are the same; values as text."""
    table = pd.DataFrame({name: {field: str(value) for field, value in row.items()} for name, row in rows.items()})
    return table[table.nunique(axis=1) > 1]


def sizes(architectures, classes, shape):
    """Parameters and multiply-adds per image of both networks, a row for each of {name: conditional architecture}."""
    heads = (["parameters", "multiply-adds per image"], ["generator", "discriminator"])
    rows = {}
    for name, row in architectures.items():
        networks = build(row, classes, shape)
        rows[name] = [*(network.count_params() for network in networks), *map(multiply_adds, networks)]
    return pd.DataFrame(rows, index=pd.MultiIndex.from_product(heads)).T
