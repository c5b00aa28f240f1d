"""The classifier that modelo_6's discriminator looks through: the one that ships, or one trained on the same images."""

import shutil
from pathlib import Path

from ..errors import CganError, notice
from ..models.architectures import Projected, architecture
from ..results.classifier import RECORD
from ..results.evaluator import Evaluator, find_teacher
from .checkpoints import read_identity
from .classifiers import train_evaluator

SEED = 7  # not that of the evaluators: what judges a drawing must not share the mistakes of what taught it
SEEN = 60_000  # images that the teacher of an own folder sees, at least: a minute or two on two cores


def teacher_of(settings, data, folder=None, extra_callbacks=()):
    """The teacher of an `Experiment` for an `ImageDataset`, an `Evaluator`; None if its discriminator needs none.

    folder: where one is trained if none ships, or was trained before on the same images; an interrupted training of
    it goes on, and one of other images is replaced. Without a folder, and for images of one class, CganError says that
    there is none. extra_callbacks: of that training, which a KeyboardInterrupt stops so that it can go on.
    """
    row = architecture(settings.architecture)
    if not isinstance(row, Projected) or "teacher" in row.without:
        return None
    shipped = find_teacher(data)
    if shipped:
        return shipped
    if data.classes < 2:
        raise CganError(
            f"{settings.architecture} looks through a classifier, which needs two classes or more; "
            "for images of one kind take dcgan."
        )
    if folder is None:
        raise CganError(f"{settings.architecture} looks through a classifier of its data set; none is at hand.")
    how = recipe(row, len(data.x_train))
    found = Evaluator(folder) if (Path(folder) / RECORD).is_file() else None
    if found and _is_of(data, how, found.record["data"]["fingerprint"], found.record["trainings"]["evaluator"]):
        return found
    begun = Path(folder).with_name(f"{Path(folder).name}.checkpoints")
    identities = map(read_identity, begun.glob("*.checkpoint"))
    if not all(_is_of(data, how, identity["data"], identity) for identity in identities):
        shutil.rmtree(begun)
    notice(f"A classifier of {data.title} is trained first; the discriminator will look through it.")
    try:
        return train_evaluator(data.name, folder, data=data, verbose=0, extra_callbacks=extra_callbacks, **how)
    except KeyboardInterrupt:
        notice("Stopped while the classifier was trained; the same command goes on with it.")
        raise


def _is_of(data, how, fingerprint, training):
    """Whether a training learned from these images, mirrored or not as the recipe `how` wants it."""
    return (fingerprint, training["recipe"]["flip"]) == (data.fingerprint, how["flip"])


def recipe(row, count):
    """What differs from the evaluators' recipe for the teacher of a row of architectures and `count` images."""
    validation = max(1, min(5000, count // 10))
    return {
        "blocks": row.teacher,
        "seed": SEED,
        "flip": row.mirror,
        "validation": validation,
        # Few images are seen often, in small batches; batch normalisation needs some images in each.
        "batch_size": max(1, min(128, max(8, count // 40), count - validation)),
        "epochs": max(8, min(60, -(-SEEN // count))),
        "patience": 12,
    }
