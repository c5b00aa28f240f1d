"""What does each ingredient of modelo_6 buy? Short trainings on CIFAR-10, from each of which one of them is left out.

    python studies/ablate_modelo_6.py FOLDER [--images 32000] [--seeds 0 1]

All see the same images in the same order, so that their arithmetic is about the same; only a teacher that learns costs
more. The result is FOLDER/modelo_6_ablation.json, and a picture of each form beside it; it belongs into
resultados/studies/. Started again, it goes on with what is missing.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cgan_utils import backend
from cgan_utils.data.datasets import load
from cgan_utils.files import AVERAGED, LAST
from cgan_utils.images import grid
from cgan_utils.models.architectures import ARCHITECTURES, INGREDIENTS
from cgan_utils.models.experiments import experiment
from cgan_utils.results import measures
from cgan_utils.results.evaluator import find_evaluator
from cgan_utils.training.places import taken
from cgan_utils.training.train import train

DRAWN = 2000  # images that are judged, and as many test images beside them
BASE = replace(ARCHITECTURES["modelo_6"], base=256, up=(192, 96, 48))  # a smaller generator: it is trained 18 times
PLAIN = {"loss": "minimax", "update": "simultaneous"}  # modelo_5's step
FORMS = {
    "nothing": {},
    **{name: {"without": (name,)} for name in INGREDIENTS},
    "relativistic loss": {"loss": "minimax"},
    "all of them": {"without": INGREDIENTS, **PLAIN},
}


def settings_of(form, seed):
    """The `Experiment` of a form, under an architecture of its own."""
    fields = dict(FORMS[form])
    name = f"modelo_6_without_{form.replace(' ', '_')}"
    ARCHITECTURES[name] = replace(BASE, without=fields.pop("without", ()))
    base = experiment("modelo_6_cifar10_v1")
    return replace(base, name=name, architecture=name, epochs=1, batch_size=64, seed=seed, **fields)


def judged(run, file, data, judge):
    """Scores of DRAWN images of a run, {measure: float}, and the images."""
    labels = np.repeat(np.arange(data.classes), DRAWN // data.classes)
    images = run.draw(labels, range(len(labels)), file=file)
    (features, chances), (real, _) = judge.look(images), judge.look(data.x_test[:DRAWN])
    scores = {"class_accuracy": np.mean(chances.argmax(axis=1) == labels)}
    scores |= {"frechet": measures.frechet_distance(real, features), **measures.neighbourhoods(real, features)}
    return {name: round(float(score), 4) for name, score in scores.items()}, images


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=32_000, help="that each training sees")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    args = parser.parse_args()
    data = load("cifar10")
    judge, file = find_evaluator(data), args.folder / "modelo_6_ablation.json"
    pictures = args.folder / "modelo_6_ablation"
    pictures.mkdir(parents=True, exist_ok=True)
    found = (
        json.loads(file.read_text())
        if file.is_file()
        else {"images": args.images, "drawn": DRAWN, "machine": backend.machine(), "trainings": []}
    )
    if found["images"] != args.images:
        sys.exit(f"{file} is of {found['images']} images a training, not {args.images}; choose another folder.")
    done = {(one["without"], one["seed"]) for one in found["trainings"]}
    for seed, form in ((seed, form) for seed in args.seeds for form in FORMS):
        if (form, seed) in done:
            continue
        settings = settings_of(form, seed)
        out = (args.folder / "runs" / f"{settings.name}_{seed}").absolute()
        how = {"limit_images": args.images, "checkpoint_minutes": 1e6, "verbose": 0}
        run = train(settings, out, resume=taken(out), data=data, **how)
        if not run.record["training"]["complete"]:
            sys.exit("Interrupted. The same command goes on.")
        seconds = round(run.history["seconds"].sum())
        for name, weights in {form: AVERAGED, **({"averaging": LAST} if form == "nothing" else {})}.items():
            scores, images = judged(run, weights, data, judge)
            found["trainings"].append({"without": name, "seed": seed, "seconds": seconds, **scores})
            if seed == args.seeds[0]:
                chosen = images.reshape(data.classes, -1, *data.shape)[:, :10].reshape(-1, *data.shape)
                Image.fromarray(grid(chosen, 10)).save(pictures / f"{name.replace(' ', '_')}.webp", quality=85)
            print(found["trainings"][-1], flush=True)
        file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
