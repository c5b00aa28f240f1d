"""From how many labelled pictures on does modelo_6's teacher pay? Trainings on shrinking parts of CIFAR-10.

    python studies/few_pictures.py FOLDER [--parts 50000 5000 500] [--images 50000]

Each part is learned twice, for the same number of steps: with a teacher that was trained on that part alone (on all of
CIFAR-10 the one that ships), and with blocks that start from random numbers and learn along. The judge knows all of
CIFAR-10, and took no part. The result is FOLDER/modelo_6_few_pictures.json; it belongs into resultados/studies/.
Started again, it goes on with what is missing.
"""

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from ablate_modelo_6 import BASE, DRAWN, judged

from cgan_utils import backend
from cgan_utils.data.datasets import load
from cgan_utils.files import AVERAGED
from cgan_utils.models.architectures import ARCHITECTURES
from cgan_utils.models.experiments import experiment
from cgan_utils.results.evaluator import find_evaluator
from cgan_utils.results.measures import memorisation
from cgan_utils.training.places import checkpoint_of
from cgan_utils.training.teachers import teacher_of
from cgan_utils.training.train import train

TESTED = 100  # test images that each epoch looks at: on a small part there are many epochs
BATCH = 64
FORMS = {"teacher": (), "no teacher": ("teacher",)}


def part_of(data, count):
    """A data set of `count` of the training images, the first of each class and equally many of each."""
    data = replace(data, x_test=data.x_test[:TESTED], y_test=data.y_test[:TESTED])
    if count >= len(data.x_train):
        return data
    each = count // data.classes
    chosen = np.sort(np.concatenate([np.flatnonzero(data.y_train == label)[:each] for label in range(data.classes)]))
    return replace(
        data,
        name=f"{data.name}_{count}",
        folder=f"the first {each} images of each class of {data.title}",  # so that no teacher that ships knows them
        x_train=data.x_train[chosen],
        y_train=data.y_train[chosen],
    )


def settings_of(form, count, images):
    """The `Experiment` of a form on a part: as many steps as fill `images`."""
    name = f"modelo_6_{count}_{form.replace(' ', '_')}"
    ARCHITECTURES[name] = replace(BASE, without=FORMS[form])
    epochs = max(1, round(images / (count // BATCH * BATCH)))
    return replace(experiment("modelo_6_cifar10_v1"), name=name, architecture=name, epochs=epochs, batch_size=BATCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", type=int, nargs="+", default=[50_000, 5_000, 500])
    parser.add_argument("--images", type=int, default=50_000, help="that each training sees")
    args = parser.parse_args()
    if min(args.parts) < BATCH:
        sys.exit(f"A part of {min(args.parts)} pictures does not fill a batch of {BATCH}; take more.")
    data, file = load("cifar10"), args.folder / "modelo_6_few_pictures.json"
    judge, found = find_evaluator(data), {"images": args.images, "drawn": DRAWN, "machine": backend.machine()}
    old = json.loads(file.read_text()) if file.is_file() else {}
    if old.get("images", args.images) != args.images:
        sys.exit(f"{file} is of {old['images']} images a training, not {args.images}; choose another folder.")
    found["trainings"] = old.get("trainings", [])
    done = {(one["pictures"], one["form"]) for one in found["trainings"]}
    for count, form in ((count, form) for count in args.parts for form in FORMS):
        if (count, form) in done:
            continue
        part, settings = part_of(data, count), settings_of(form, count, args.images)
        out = (args.folder / "runs" / settings.name).absolute()
        resume = checkpoint_of(out).exists()
        if not resume:
            shutil.rmtree(out, ignore_errors=True)  # what an end without a checkpoint left
        run = train(settings, out, resume=resume, data=part, checkpoint_minutes=1e6, verbose=0)
        if not run.record["training"]["complete"]:
            sys.exit("Interrupted. The same command goes on.")
        scores, images = judged(run, AVERAGED, data, judge)
        copies = memorisation(*(judge.look(some)[0] for some in (images, part.x_train, data.x_test[:DRAWN])))
        teacher = teacher_of(settings, part, out.with_name(f"{out.name}.teacher"))
        knows = teacher and np.mean(teacher.look(data.x_test)[1].argmax(axis=1) == data.y_test)
        found["trainings"].append(
            {
                "pictures": count,
                "form": form,
                "images_seen": run.record["training"]["images_seen"],
                **({"teacher_accuracy": round(float(knows), 4)} if teacher else {}),
                **scores,
                **{f"nearest_features_{name}": round(value, 4) for name, value in copies.items()},
            }
        )
        print(found["trainings"][-1], flush=True)
        file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
