"""Drawings that are judged after each epoch, and the generator that is kept for them."""

import json
from functools import partial

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from cgan_utils.errors import CganError
from cgan_utils.files import AVERAGED, BEST, LAST
from cgan_utils.models.experiments import Experiment
from cgan_utils.results.card import card
from cgan_utils.results.curves import epoch_curves
from cgan_utils.training.places import checkpoint_of
from cgan_utils.training.train import train


def test_scored_epochs_are_recorded_and_the_best_generator_kept(reference, judge, digits, tmp_path, monkeypatch):
    monkeypatch.setattr("cgan_utils.training.scoring.find_evaluator", lambda data: judge)
    values = iter([5.0, 3.0, 4.0])
    monkeypatch.setattr("cgan_utils.results.measures.frechet_distance", lambda *features: next(values))
    settings = Experiment("scored", "mnist", "tiny", epochs=2, batch_size=16)
    run = train(settings, tmp_path / "scored", data=digits, verbose=0, score=3)
    assert run.history["frechet"].tolist() == [5, 3] and run.history["class_accuracy"].between(0, 1).all()
    panels = {axis.get_title(): axis for axis in epoch_curves(run.history).axes}
    assert [*panels][2:4] == ["class accuracy", "Fréchet distance"]
    assert panels["Fréchet distance"].lines[0].get_ydata().tolist() == [5, 3]
    best = "generator_best.safetensors"
    assert run.draws_with == best and run.record["training"]["best_epoch"] == 2
    assert f"{best}, of epoch 2, whose drawings scored best" in (run.path / "README.md").read_text(encoding="utf-8")
    np.testing.assert_array_equal(run.generate("3", 0, file=LAST), run.generate("3", 0))
    longer = train(settings, tmp_path / "scored", data=digits, verbose=0, score=3, resume=True, epochs=3)
    assert longer.history["frechet"].tolist() == [5, 3, 4]
    assert longer.record["training"]["best_epoch"] == 2
    averaged = card(run.path, {**run.record, "draws_with": AVERAGED}, [], [])
    assert AVERAGED in averaged and "scored best" not in averaged
    np.testing.assert_array_equal(longer.generate("3", 0), run.generate("3", 0))
    assert (longer.generate("3", 0, file=LAST) != run.generate("3", 0)).any()
    with pytest.raises(CganError, match="other settings .score 3 → default"):
        train(settings, tmp_path / "scored", data=digits, verbose=0, resume=True, epochs=4)


def test_an_autoencoder_is_not_scored(tmp_path):
    with pytest.raises(CganError, match="no drawing can be scored"):
        train("autoencoder_2d_fashion_mnist", tmp_path / "run", score=3)
    assert not (tmp_path / "run").exists()


def test_without_a_scored_epoch_no_network_is_called_the_best(judge, digits, tmp_path, monkeypatch):
    monkeypatch.setattr("cgan_utils.training.scoring.find_evaluator", lambda data: judge)
    settings = Experiment("scored", "mnist", "tiny", epochs=1, batch_size=16)
    learn = partial(train, settings, tmp_path / "scored", data=digits, verbose=0, score=3)
    begun = learn(minutes=1e-9)
    assert set(begun.weights) == {LAST, AVERAGED} and not (begun.path / BEST).exists()
    ended = learn(resume=True)
    assert ended.draws_with == BEST and set(ended.weights) == {LAST, AVERAGED, BEST}


def test_scores_need_an_evaluator_and_enough_images(judge, digits, tmp_path, monkeypatch):
    settings = Experiment("scored", "mnist", "tiny", epochs=2, batch_size=16)
    learn = partial(train, settings, tmp_path / "scored", data=digits, verbose=0)
    with pytest.raises(CganError, match="no evaluator for mnist"):
        learn(score=5)
    monkeypatch.setattr("cgan_utils.training.scoring.find_evaluator", lambda data: judge)
    with pytest.raises(CganError, match="ask for 2 or more"):
        learn(score=1)
    assert not list(tmp_path.iterdir())


def test_scores_of_single_logits_leave_an_older_training_of_pairs_when_it_goes_on(digits, tmp_path):
    settings = Experiment("pairs", "mnist", "tiny", epochs=1, batch_size=16, loss="relativistic")
    file = checkpoint_of(train(settings, tmp_path / "pairs", data=digits, verbose=0).path)
    with safe_open(file, "np") as old:
        metadata, tensors = old.metadata(), {name: old.get_tensor(name) for name in old.keys()}  # noqa: SIM118
    progress = json.loads(metadata["progress"])
    progress["history"][0] |= {"precision": 0.5, "val_recall": 0.5}
    save_file(tensors, file, {**metadata, "progress": json.dumps(progress)})
    run = train(settings, tmp_path / "pairs", data=digits, verbose=0, resume=True, epochs=2)
    assert not {"precision", "val_recall"} & set(run.history)
    assert run.history["accuracy"].isna().tolist() == [True, False]
    assert "nan" not in card(run.path, run.record, run.history.to_dict("records"), [])
