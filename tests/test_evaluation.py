import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.data.datasets import available, load
from cgan_utils.errors import CganError
from cgan_utils.images import from_png
from cgan_utils.lessons.vae_vs_gan import Judge
from cgan_utils.results import evaluator as evaluators
from cgan_utils.results import tables, verdicts
from cgan_utils.results.evaluation import Reference, evaluate
from cgan_utils.results.evaluator import Evaluator
from cgan_utils.results.run import Run


class Painter:
    """Stands in for a generator: `paint(label, random)` → image [28, 28, 1] in [-1, 1]."""

    inputs = [np.empty((1, 8)), np.empty(1)]

    def __init__(self, paint):
        self.paint = paint

    def predict_on_batch(self, inputs):
        noise, labels = inputs
        randoms = [np.random.RandomState(int(abs(row[0]) * 1e6)) for row in noise]
        return np.stack([self.paint(label, random) for label, random in zip(labels, randoms, strict=True)])


def scored(paint, reference, conditional=True):
    """The metrics of ten drawings of each class by a `Painter`."""
    names = reference.data.class_names if conditional else ("any",)
    run = SimpleNamespace(
        name="painter",
        experiment=SimpleNamespace(game="gan"),
        generator=lambda: Painter(paint),
        class_names=names,
        conditional=conditional,
        draws_with="generator.safetensors",
        weights={"generator.safetensors": "0"},
    )
    return evaluate(run, reference, per_class=12 if conditional else 120, repeats=2)


def some(numbers, labels):
    """A painter's way to a perfect drawing: an unseen image of one of the classes, moved a little."""
    mirrored = [np.roll(numbers.x_test[numbers.y_test == label], 1, axis=2) / 127.5 - 1 for label in range(10)]

    def paint(label, random):
        own = mirrored[random.choice(labels) if labels else label]
        return own[random.randint(len(own))]

    return paint


def test_the_evaluator_learns_and_opens_again(judge, numbers):
    again = Evaluator(judge.path)
    features, chances = again.look(numbers.x_test)
    assert features.shape == (180, 16) and chances.shape == (180, 10) and again.width == 16
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    assert (chances.argmax(axis=1) == numbers.y_test).mean() == pytest.approx(again.accuracy)
    assert again.accuracy > 0.8
    np.testing.assert_array_equal(features, judge.look(numbers.x_test)[0])


def test_an_evaluator_serves_the_comparison_of_two_runs(judge, numbers):
    comparing = Judge(numbers, judge)
    assert comparing.accuracy == pytest.approx(judge.accuracy)
    assert comparing.look(numbers.x_test[:3])[0].shape == (3, 16)


def test_features_are_the_means_of_the_last_block(judge, numbers):
    block = judge.network.get_layer("block_2")
    x = judge.network.get_layer("block_1")(numbers.x_test[:3] / np.float32(127.5) - 1)
    planes = keras.ops.convert_to_numpy(block(x))
    np.testing.assert_allclose(judge.look(numbers.x_test[:3])[0], planes.mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)


def test_an_evaluator_refuses_in_a_sentence_what_it_cannot_do(judge, numbers, tmp_path, monkeypatch):
    with pytest.raises(CganError, match="looks at images of 28×28×1"):
        judge.look(np.zeros((2, 32, 32, 3), "uint8"))
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    shutil.copytree(judge.path, tmp_path / "resultados" / "evaluadores" / "mnist")
    assert evaluators.available() == ["mnist"]
    assert Evaluator("mnist").sha256 == judge.sha256
    with pytest.raises(CganError, match="no evaluator 'mnits'; did you mean mnist"):
        Evaluator("mnits")
    with pytest.raises(CganError, match="learned from other images"):
        Reference(replace(numbers, stand_in=False), judge)


def test_a_perfect_generator_draws_the_class(reference, numbers):
    metrics = scored(some(numbers, None), reference)
    drawn, real = metrics["drawn"], metrics["real"]
    assert metrics["verdict"]["keys"] == ["draws"], metrics["verdict"]
    assert drawn["class_accuracy"]["mean"] > 0.8 * real["class_accuracy"]
    assert drawn["diversity"]["mean"] == pytest.approx(real["diversity"], rel=0.1)
    assert np.sum(metrics["confusion"]) == 240 and np.trace(metrics["confusion"]) > 180
    assert len(drawn["frechet"]["values"]) == 2 and len(drawn["nearest_pixels_ratio"]["values"]) == 1
    share = np.trace(metrics["confusion"]) / 240
    assert drawn["class_accuracy"]["mean"] == pytest.approx(share, abs=1e-5)
    assert np.mean(metrics["by_class"]["class_accuracy"]) == pytest.approx(share, abs=1e-5)
    json.dumps(metrics, allow_nan=False)


def failing(numbers):
    """Generators that fail, each in one way, and the verdict and words each deserves."""
    perfect = some(numbers, None)
    usual = numbers.x_train / 127.5 - 1
    of_class = [usual[numbers.y_train == label] for label in range(10)]

    def poor(label, random):
        return of_class[label][0] * 0.9 if label in (3, 8) else perfect(label, random)

    return {
        "ignores": (some(numbers, range(10)), "ignores", "Draws no recognisable class"),
        "wrong": (lambda label, random: perfect((label + 1) % 10, random), "seldom", "Seldom draws the class"),
        "often": (lambda y, r: perfect((y + (y < 4)) % 10, r), "often", "Often draws the class that was asked"),
        "black": (lambda label, random: np.full((28, 28, 1), -1.0), "collapsed", "drawings vary too little"),
        "poor": (poor, "collapsed", "classes 3 and 8 vary too little"),
        "copies": (lambda y, r: of_class[y][r.randint(len(of_class[y]))], "memorises", "copies of training images"),
    }


@pytest.mark.parametrize("name", ["ignores", "wrong", "often", "black", "poor", "copies"])
def test_the_verdict_names_how_a_generator_fails(name, reference, numbers):
    paint, key, words = failing(numbers)[name]
    metrics = scored(paint, reference)
    assert key in metrics["verdict"]["keys"] and words in metrics["verdict"]["text"], metrics["verdict"]
    assert metrics["verdict"]["text"].endswith(".") and "nan" not in json.dumps(metrics).lower()
    if name not in ("black", "copies"):
        assert "memorises" not in metrics["verdict"]["keys"]
    if name in ("ignores", "wrong", "often", "copies"):
        assert "collapsed" not in metrics["verdict"]["keys"]


def test_flat_drawings_are_no_copies_if_the_features_tell_them_from_the_training_images(reference, numbers):
    metrics = scored(some(numbers, None), reference)
    near = metrics["drawn"]["nearest_pixels_ratio"] | {"mean": 0.31}
    for features, copied in ((0.87, False), (0.2, True)):
        drawn = {"nearest_pixels_ratio": near, "nearest_features_ratio": {**near, "mean": features}}
        found = verdicts.verdict({**metrics, "drawn": metrics["drawn"] | drawn})
        assert ("memorises" in found["keys"]) == copied


def test_without_classes_the_verdict_says_which_are_missing(reference, numbers):
    whole = scored(some(numbers, range(10)), reference, conditional=False)
    assert whole["verdict"]["keys"] == ["all"] and "class_accuracy" not in whole["drawn"]
    assert np.shape(whole["confusion"]) == (1, 10)
    part = scored(some(numbers, [0, 1, 2, 3, 5, 6, 7, 8]), reference, conditional=False)
    assert part["verdict"]["keys"] == ["misses"] and "classes 4 and 9" in part["verdict"]["text"]


def test_without_an_evaluator_the_pixels_are_measured(numbers):
    metrics = scored(some(numbers, None), Reference(numbers))
    assert set(metrics["drawn"]) == {"diversity", "nearest_pixels_ratio", "nearest_pixels_share"}
    assert metrics["verdict"] == {"keys": ["varied"], "text": "Varied and new, as far as the pixels tell."}
    assert metrics["confusion"] == [] and metrics["protocol"]["evaluator"] is None


def test_too_few_images_are_refused_in_a_sentence(reference, numbers, run, unconditional_run):
    with pytest.raises(CganError, match="1 image of each class can't be compared with one another; draw 2 or more"):
        evaluate(run, reference, per_class=1, repeats=1)
    with pytest.raises(CganError, match="needs 17 images or more, not 10"):
        evaluate(unconditional_run, reference, per_class=10, repeats=1)
    autoencoder = SimpleNamespace(name="plane", path="plane", experiment=SimpleNamespace(game="autoencoder"))
    with pytest.raises(CganError, match="plane is an autoencoder"):
        evaluate(autoencoder)


def test_dependence_is_none_for_independent_and_all_for_determined_classes():
    random = np.random.default_rng(0)
    guesses = np.zeros((10, 10), int)
    np.add.at(guesses, tuple(random.integers(0, 10, (2, 2000))), 1)
    assert verdicts.dependence(guesses) < 0.01
    assert verdicts.dependence(np.eye(10)[::-1] * 500) == pytest.approx(1, abs=0.01)
    half = np.eye(10) * 100 + 90  # by hand: p = 0.19 on the diagonal of each row, 0.09 elsewhere
    by_hand = 0.19 * np.log(1.9) + 9 * 0.09 * np.log(0.9) - 81 / (2 * half.sum())
    assert verdicts.dependence(half) == pytest.approx(by_hand / np.log(10))


def test_a_sentence_names_five_classes_and_counts_the_others():
    assert verdicts._named([3], "abcdefghij") == "class d"
    assert verdicts._named(range(7), "abcdefghij") == "classes a, b, c, d, e and 2 others"


def test_a_run_keeps_its_metrics_until_another_generator_draws(run, reference, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    copy = Run(tmp_path / "copy")
    assert copy.metrics is None
    found = evaluate(copy, reference, per_class=12, repeats=1)
    copy.keep_metrics(found)
    assert Run(copy.path).metrics == found
    assert from_png(copy.path / "curves.png").shape[1] > 800
    text = (copy.path / "README.md").read_text(encoding="utf-8")
    assert "![losses and scores of each epoch](curves.png)" in text
    assert all(f"- {sentence}" in text for sentence in verdicts.weaknesses(found))
    assert found["verdict"]["text"] in text and "| class accuracy |" in text
    assert tables.by_class([copy]).loc["3", "copy"] == found["by_class"]["class_accuracy"][3]
    row = tables.all_runs([copy]).loc["copy"]
    assert row["class accuracy"] == found["drawn"]["class_accuracy"]["mean"] and row["Fréchet"] > row["floor"]
    assert row["verdict"] == tables.phrase(found["verdict"]["keys"])
    record = json.loads((copy.path / "run.json").read_text(encoding="utf-8"))
    other = {"generator.safetensors", "generator_averaged.safetensors"} - {record["draws_with"]}
    (copy.path / "run.json").write_text(json.dumps(record | {"draws_with": other.pop()}), encoding="utf-8")
    assert Run(copy.path).metrics is None  # they are of another generator
    assert not list(copy.path.glob(".*"))


def test_weaknesses_are_where_drawings_fall_short_of_real_images():
    metrics = {
        "drawn": {"coverage": {"mean": 0.25}, "diversity": {"mean": 30}},
        "real": {"coverage": 0.95, "diversity": 60},
        "by_class": {"class_accuracy": [0.9, 0.1, 0.7, 0.0], "diversity": []},
        "real_by_class": {"class_accuracy": [0.95, 0.9, 0.9, 0.0], "diversity": []},
        "class_names": ["hat", "coat", "shirt", "never seen"],
    }
    assert list(verdicts.weaknesses(metrics)) == [
        "Recognised less often than real images: coat 10% (real: 90%), shirt 70% (real: 90%).",
        "25% of the real images have a drawing beside them (real: 95%).",
        "Two drawings of a class differ 50% as much as two real images do.",
    ]
    perfect = {**metrics, "drawn": {name: {"mean": value} for name, value in metrics["real"].items()}}
    perfect["by_class"] = metrics["real_by_class"]
    assert not list(verdicts.weaknesses(perfect))


def test_too_few_test_images_are_noticed_before_any_image_is_drawn(run, numbers, judge):
    few = replace(numbers, x_test=numbers.x_test[:9], y_test=numbers.y_test[:9])
    unable = SimpleNamespace(**vars(run), generator=lambda: pytest.fail("it was drawn"))
    with pytest.raises(CganError, match="needs 17 images or more, not 9"):
        evaluate(unable, Reference(few, judge), per_class=12, repeats=1)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "least"), [("mnist", 0.995), ("fashion_mnist", 0.94), ("cifar10", 0.915), ("cifar100", 0.68)]
)
def test_a_shipped_evaluator_recognises_real_images(name, least):
    if not available(name):
        pytest.skip(f"{name} is not on this machine")
    judge, data = Evaluator(name), load(name)
    assert judge.accuracy >= least
    assert judge.record["data"]["fingerprint"] == data.fingerprint
    seen = judge.look(data.x_test[:400])[1].argmax(axis=1)
    assert (seen == data.y_test[:400]).mean() == pytest.approx(judge.accuracy, abs=0.06)
    assert all(file.stat().st_size < 10e6 for file in judge.path.iterdir())


def test_as_many_real_images_are_compared_as_are_drawn(numbers, judge):
    """The number of images moves coverage and Fréchet distance: few real images score as few drawings would."""
    reference = Reference(numbers, judge)
    few, many = len(reference.train_features[0]) + 20, min(len(numbers.x_train), len(numbers.x_test))
    for count in (few, many):
        assert len(reference.compared(count)) == count
    assert reference.floor(few)["frechet"] > reference.floor(many)["frechet"]
    assert reference.floor(few) == Reference(numbers, judge).floor(few)


def test_test_images_that_are_training_images_are_measured_with_a_warning(numbers):
    copied = replace(numbers, x_train=numbers.x_test, y_train=numbers.y_test)
    metrics = scored(lambda label, random: random.uniform(-1, 1, (28, 28, 1)), Reference(copied))
    assert set(metrics["drawn"]) == {"diversity", "nearest_pixels_share"}
    assert "unknown" in metrics["verdict"]["keys"] and "copies of training images" in metrics["verdict"]["text"]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_class_without_a_test_image_is_left_open(run, numbers, judge):
    known = numbers.y_test != 3
    data = replace(numbers, x_test=numbers.x_test[known], y_test=numbers.y_test[known])
    metrics = evaluate(run, Reference(data, judge), per_class=20, repeats=1)
    accuracy = metrics["real_by_class"]["class_accuracy"]
    assert np.flatnonzero(np.isnan(accuracy)).tolist() == [3]
    assert metrics["verdict"]["text"] and not np.isnan(metrics["real"]["class_accuracy"])
    assert "nan" not in " ".join(verdicts.weaknesses(metrics))
