"""The studies of modelo_6: what each ingredient buys, and how few pictures are enough."""

import json
from collections import Counter
from dataclasses import replace

from ablate_modelo_6 import DRAWN, FORMS
from few_pictures import part_of

from cgan_utils.paths import shipped_folder
from cgan_utils.results.evaluator import find_teacher


def test_a_part_of_a_data_set_has_equally_many_of_each_class_and_no_teacher_yet(digits):
    part = part_of(digits, 30)
    assert Counter(part.y_train.tolist()) == dict.fromkeys(range(10), 3)
    assert find_teacher(replace(part, folder=None, name="mnist")) and not find_teacher(part)


def test_the_study_of_few_pictures_trained_both_forms_on_every_part_alike():
    """Notebook 16 compares them."""
    study = json.loads((shipped_folder() / "studies" / "modelo_6_few_pictures.json").read_text(encoding="utf-8"))
    trained = {(one["pictures"], one["form"]): one for one in study["trainings"]}
    assert set(trained) == {(count, form) for count in (500, 5_000, 50_000) for form in ("teacher", "no teacher")}
    assert {abs(one["images_seen"] / study["images"] - 1) < 0.01 for one in trained.values()} == {True}
    assert all(("teacher_accuracy" in one) == (form == "teacher") for (_, form), one in trained.items())


def test_the_ablation_of_modelo_6_trained_every_form_alike():
    """Notebook 18 compares forms: each must be there once per seed, judged in the same way."""
    study = json.loads((shipped_folder() / "studies" / "modelo_6_ablation.json").read_text(encoding="utf-8"))
    trained = Counter((one["without"], one["seed"]) for one in study["trainings"])
    assert trained == Counter((form, seed) for form in [*FORMS, "averaging"] for seed in (0, 1))
    assert study["drawn"] == DRAWN
    pictures = {file.stem for file in (shipped_folder() / "studies" / "modelo_6_ablation").iterdir()}
    assert pictures == {form.replace(" ", "_") for form, _ in trained}
