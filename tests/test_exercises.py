"""The numbers in the answers to the notebooks' exercises are what a reader finds who does them."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cgan_utils.data.datasets import available, load
from cgan_utils.lessons.exploration import all_components, components_needed, explained, reconstruct
from cgan_utils.lessons.toy import best_discriminator, normal, value
from cgan_utils.models import classifier
from cgan_utils.models.experiments import SHOWN
from cgan_utils.models.networks import build
from cgan_utils.models.sampling import latent
from cgan_utils.results.classifier import Stacked
from cgan_utils.results.conditioning import class_share
from cgan_utils.results.run import Run

ROOT = Path(__file__).parent.parent


def answers(number, heading="## Exercises"):
    """The exercises of a notebook, or another of its texts."""
    (file,) = (ROOT / "notebooks").glob(f"{number:02d}_*.ipynb")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return next(text for text in ("".join(cell["source"]) for cell in cells) if text.startswith(heading))


def says(number, *texts):
    found = answers(number)
    assert [text for text in texts if text not in found] == []


@cache
def data(name):
    if not available(name):
        pytest.skip(f"{name} is not on this machine")
    return load(name)


def by_class(name):
    metrics = Run(name).metrics
    return dict(zip(metrics["class_names"], metrics["by_class"]["class_accuracy"], strict=True))


def test_01_two_densities_and_the_judge_that_calls_everything_real():
    wide, narrow = normal(0, 1), normal(0, 0.5)
    divergence = (sum(value(wide, narrow, best_discriminator(wide, narrow))) + 2 * np.log(2)) / 2
    says(1, f"{divergence:.3f}", f"= −{-np.log(0.99) - np.log(0.01):.3f}")


@pytest.mark.real_data
def test_02_pixels_that_are_never_used_and_components_of_garments():
    digits = data("mnist")
    never = [int((digits.x_train[digits.y_train == label].max(axis=0) == 0).sum()) for label in range(10)]
    says(2, f"{never[1]}.", f"between {min(never)} (the digit {np.argmin(never)}) and {max(never)} (the digit 9)")
    assert np.argmax(never) == 9
    garments = all_components(data("fashion_mnist").x_train)
    says(2, f"{explained(garments, 200):.1%}".replace("%", " %"))
    images = data("fashion_mnist").x_test
    errors = [np.square((reconstruct(garments, images, k).astype("float32") - images) / 127.5).mean() for k in (5, 6)]
    says(12, f"Five give {errors[0]:.4f}, six {errors[1]:.4f}")


@pytest.mark.real_data
def test_03_colour_and_texture():
    photographs = data("cifar10")
    flat = photographs.x_train.reshape(-1, 3)[::97].astype("float32")
    grey = flat.mean(axis=1, keepdims=True)
    share = ((flat - grey) ** 2).sum() / ((flat - flat.mean(axis=0)) ** 2).sum()
    frogs, ships = (components_needed(all_components(photographs.x_train[photographs.y_train == i])) for i in (6, 8))
    says(3, f"{share:.3f}:", f"Frogs need {frogs[0.95]}, ships {ships[0.95]}")


@pytest.mark.real_data
def test_04_landscapes_and_cats():
    photographs = data("cifar100")

    def needed(*names):
        labels = [photographs.class_names.index(name) for name in names]
        return components_needed(all_components(photographs.x_train[np.isin(photographs.y_train, labels)]))[0.95]

    says(4, f"{needed('sea', 'plain', 'cloud')} and {needed('lion', 'tiger', 'leopard')}.")


def test_05_06_13_where_the_parameters_are():
    small, large = (build(name, 10, (28, 28, 1))[0] for name in ("modelo_1", "modelo_3_28px"))
    says(5, f"{small.count_params():,}", f"{small.get_layer('latent_dense').count_params():,}")
    says(6, f"{large.get_layer('up_1').count_params():,}", f"{257 * 256 * 9 + 256:,}")
    recipe = Stacked("stacked_fashion_mnist").recipe
    both = (classifier.build(replace(recipe, pooled=pooled), (28, 28, 1), 10) for pooled in (False, True))
    says(13, *(f"{network.count_params():,}" for network in both))


def test_05_07_10_what_the_evaluator_recognises():
    digits = sorted(by_class("modelo_1_mnist_v2").items(), key=lambda one: one[1])
    (worst, least), (_, next_) = digits[:2]
    says(5, f"The {worst}, with {100 * least:.1f} %", f"with {100 * next_:.1f} %", f"with {100 * digits[-1][1]:.1f} %")
    photographs = sorted(by_class("modelo_3_cifar100_v1").items(), key=lambda one: -one[1])
    says(7, ", ".join(f"{name.replace('_', ' ')} {100 * share:.0f} %" for name, share in photographs[:5]))
    assert sum(share < 0.01 for _, share in photographs) == 4
    ten = by_class("modelo_5_cifar10_v4")
    says(10, f"Ships are recognised in {100 * ten['ship']:.0f} %", f"automobiles in {100 * ten['automobile']:.0f} %")
    assert f"{ten['bird']:.2f}" == f"{ten['automobile']:.2f}" == "0.37" and max(ten, key=ten.get) == "ship"


def test_07_how_much_of_a_drawing_the_class_decides():
    run, animals = Run("modelo_3_cifar100_v1"), "bear wolf lion tiger fox rabbit elephant leopard raccoon kangaroo"
    parts = []
    for names in (SHOWN[:10], animals.split()):
        labels = np.repeat([run.class_names.index(name) for name in names], 10)
        parts.append(100 * class_share(run.draw(labels, np.tile(np.arange(10), 10)).reshape(10, 10, *run.shape)))
    says(7, f"{parts[0]:.0f} % of the variance", f"in {parts[1]:.0f} % for bear")


def test_14_the_middle_of_a_straight_line():
    noise = latent([0, 1])
    first, second = np.linalg.norm(noise, axis=1)
    says(14, f"{first:.1f} and {second:.1f} at the ends, {np.linalg.norm(noise.mean(axis=0)):.1f} in the middle")


def test_15_what_more_epochs_do_to_faces():
    study = json.loads((ROOT / "resultados" / "studies" / "dcgan_celeba_longer.json").read_text(encoding="utf-8"))
    ((shipped, frechet, covered), (longer, frechet_longer, covered_longer)) = (
        (run["training"]["epochs"], *(np.mean([draw[key] for draw in run["draws"]]) for key in ("frechet", "coverage")))
        for run in study["runs"]
    )
    assert shipped == Run("dcgan_celeba").record["training"]["epochs"]
    text = answers(15, "## The shipped run")
    assert f"was {frechet:.1f} after {shipped} epochs and {frechet_longer:.1f} after {longer}" in text
    assert f"{covered:.0%} had a drawing beside them, then {covered_longer:.0%}" in text


def test_18_what_the_spread_does():
    study = json.loads((ROOT / "resultados" / "studies" / "modelo_6_ablation.json").read_text(encoding="utf-8"))
    without, whole = ([one for one in study["trainings"] if one["without"] == name] for name in ("spread", "nothing"))
    for key, form in (("class_accuracy", ".3f"), ("frechet", ".1f"), ("recall", ".4f")):
        pairs = [" and ".join(f"{one[key]:{form}}" for one in group) for group in (without, whole)]
        found = answers(18).replace(" with the two seeds", "")
        assert " instead of ".join(pairs) in found
