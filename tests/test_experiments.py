"""Experiments: the published ones, and settings that are refused."""

import json
from dataclasses import asdict, replace

import pytest

from cgan_utils.errors import CganError
from cgan_utils.models.experiments import EXPERIMENTS, Experiment, experiment
from cgan_utils.training.train import train


def test_the_catalogue_has_the_ten_published_experiments():
    published = [experiment for experiment in EXPERIMENTS.values() if experiment.published_seconds]
    assert len(published) == 10
    assert all(name == experiment.name for name, experiment in EXPERIMENTS.items())
    assert {experiment.batch_size for experiment in published} == {16, 50}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", -1),
        ("learning_rate", 0.0),
        ("averaging", 7),
        ("optimizer", "sgd"),
        ("architecture", "modelo_9"),
        ("game", "chess"),
        ("game", "autoencoder"),
        ("loss", "squared"),
        ("update", "sideways"),
        ("beta_1", 7),
        ("beta_2", -1),
        ("label_smoothing", 0.5),
    ],
)
def test_nonsense_experiments_are_refused(field, value, tiny):
    with pytest.raises(CganError):
        replace(tiny, **{field: value})


def test_an_experiment_of_no_data_set_is_refused(tiny, tmp_path):
    with pytest.raises(CganError, match="did you mean mnist"):
        train(replace(tiny, dataset="mnits"), tmp_path / "run")


def test_experiments_survive_json(tiny):
    assert Experiment.from_dict(json.loads(json.dumps(asdict(tiny)))) == tiny


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_a_seed_that_numpy_lacks_gets_one_sentence(seed, run):
    with pytest.raises(CganError, match=f"There is no seed {seed}; use whole numbers"):
        run.generate("3", seed)


@pytest.mark.parametrize("setting", [{"loss": "hinge"}, {"update": "alternating"}, {"d_learning_rate": 1.0}])
def test_settings_of_gans_are_refused_for_other_games(setting):
    with pytest.raises(CganError, match=f"{[*setting][0]} is of GANs; leave it out for game 'vae'"):
        experiment("cvae_fashion_mnist_v2", **setting)


def test_a_record_of_another_game_opens_with_the_settings_that_older_versions_ignored():
    vae = experiment("cvae_fashion_mnist_v2")
    assert Experiment.from_dict({**asdict(vae), "averaging": 0.99, "loss": "hinge"}) == vae


def test_settings_that_are_no_numbers_or_too_large_are_refused():
    with pytest.raises(CganError, match="learning_rate is nan"):
        Experiment("bad", "mnist", "tiny", epochs=1, learning_rate=float("nan"))
    with pytest.raises(CganError, match="seed is 4294967295; it must be less than"):
        Experiment("bad", "mnist", "tiny", epochs=1, seed=2**32 - 1)
