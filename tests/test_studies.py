"""The studies of modelo_6: what each ingredient buys, and how few pictures are enough."""

import json
import sys
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import ablate_modelo_6
import compare_faces
import few_pictures
import numpy as np
import pytest
from ablate_modelo_6 import DRAWN, FORMS
from few_pictures import part_of

from cgan_utils.paths import shipped_folder
from cgan_utils.results.evaluator import find_teacher


@pytest.mark.real_data
@pytest.mark.parametrize("tool", [ablate_modelo_6, few_pictures])
def test_a_study_mixes_no_trainings_of_different_lengths(tool, tmp_path, monkeypatch):
    name = {ablate_modelo_6: "modelo_6_ablation", few_pictures: "modelo_6_few_pictures"}[tool]
    (tmp_path / f"{name}.json").write_text('{"images": 32000, "trainings": []}')
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path), "--images", "64000"])
    with pytest.raises(SystemExit, match="is of 32000 images a training, not 64000"):
        tool.main()


def test_faces_are_compared_with_others_however_many_there_are_to_test_on():
    faces = np.arange(9_000)
    for known in (1_200, 4_000):
        data = SimpleNamespace(x_test=faces[:known], x_train=faces[known:])
        found = compare_faces.reference(data)
        assert len(found) == compare_faces.COUNT
        assert not set(found) & set(data.x_train[compare_faces.COUNT : 2 * compare_faces.COUNT])


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
