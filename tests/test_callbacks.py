"""What the callbacks of a training draw, keep and refuse."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.data.datasets import load
from cgan_utils.errors import CganError
from cgan_utils.images import from_png
from cgan_utils.models.experiments import Experiment, shown_classes
from cgan_utils.training import callbacks
from cgan_utils.training.checkpoints import Progress
from cgan_utils.training.train import make_gan, train


def test_evolution_keeps_the_beginning_every_fifth_epoch_and_the_last(monkeypatch):
    evolution = callbacks.Evolution(Progress(), ("a", "b"))
    evolution.set_model(SimpleNamespace(paint=lambda labels, seeds: np.zeros((len(labels), 1, 1, 1), "uint8")))
    evolution.on_train_begin()
    kept = []
    for epoch in range(7):
        evolution.on_epoch_end(epoch)
        kept.append([int(name.removeprefix("epoch_")) for name in evolution.progress.evolution])
    assert kept[3:] == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 5], [0, 1, 2, 3, 5, 6], [0, 1, 2, 3, 5, 7]]


@pytest.mark.parametrize(("classes", "epochs", "gap"), [(("a", "b"), 700, 20), (None, 150, 4)])
def test_the_evolution_of_a_long_training_stays_small(classes, epochs, gap):
    evolution = callbacks.Evolution(Progress(), classes)
    evolution.set_model(SimpleNamespace(paint=lambda labels, seeds: np.zeros((len(labels), 1, 1, 1), "uint8")))
    evolution.on_train_begin()
    for epoch in range(epochs):
        evolution.on_epoch_end(epoch)
    kept = [int(name.removeprefix("epoch_")) for name in evolution.progress.evolution]
    assert len(kept) <= evolution.MOST + 5 and kept[:4] == [0, 1, 2, 3] and kept[-1] == epochs
    assert set(np.diff(kept[4:-1])) == {gap} and len(kept) > evolution.MOST // 2


def test_seen_images_are_judged_as_test_images_are(tiny, digits, tmp_path):
    same = replace(digits, x_test=digits.x_train, y_test=digits.y_train)
    history = train(tiny, tmp_path / "a", data=same, verbose=0).history
    seen, test = history.filter(like="seen_"), history.filter(like="val_")
    assert len(seen.columns) == 6 and history["accuracy"].ne(history["seen_accuracy"]).any()
    np.testing.assert_array_equal(seen, test.set_axis(seen.columns, axis=1))
    other = train(tiny, tmp_path / "b", data=digits, verbose=0).history
    assert other["seen_d_loss"].ne(other["val_d_loss"]).all()


def test_evolution_without_classes_is_a_square_of_seeds_after_every_epoch(unconditional_run):
    assert list(unconditional_run.evolution) == [0, 1, 2]
    assert unconditional_run.evolution[2].shape == (6 * 29 - 1, 6 * 29 - 1, 1)
    assert "Each image is from a seed" in (unconditional_run.path / "README.md").read_text()


def test_one_known_name_among_many_does_not_hide_the_others():
    assert shown_classes([f"flower {i}" for i in range(30)] + ["rose"]) == list(range(20))


def test_of_very_many_classes_some_evolve_and_one_page_shows_all(tmp_path):
    data = load("cifar100", stand_in=True).limited(32)
    settings = Experiment("tiny_cifar100", "cifar100", "tiny", epochs=1, batch_size=16)
    run = train(settings, tmp_path / "a", data=data, verbose=0)
    assert len(run.shown_classes) == 20
    assert {"sunflower", "apple", "clock", "mountain"} <= set(run.shown_classes)
    assert run.evolution[1].shape == (20 * 33 - 1, 10 * 33 - 1, 3)
    page = from_png(run.path / "evolution" / "all_classes.png")
    assert page.shape == (10 * 33 - 1, 30 * 33 - 1, 3)
    sunflower = run.class_names.index("sunflower")
    row, column = divmod(3 * sunflower, 30)
    drawn = page[row * 33 : row * 33 + 32, column * 33 : column * 33 + 32]
    np.testing.assert_allclose(drawn.astype(int), run.generate("sunflower", 0)[0], atol=1)
    assert "all_classes.png" in (run.path / "README.md").read_text()


class Break(keras.callbacks.Callback):
    """Sets every weight of the generator to a value, as a training that went wrong would."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            for weight in self.model.generator.trainable_variables:
                weight.assign(keras.ops.full_like(weight, self.value))


@pytest.mark.parametrize(("seconds", "saved"), [(0.1, [1, 7]), (25, [1, 4, 7]), (90, [1, 2, 3, 4, 5, 6, 7])])
def test_what_an_epoch_leaves_is_saved_at_the_ends_and_no_more_than_once_a_minute(seconds, saved, monkeypatch):
    clock, states, runs = [0.0], [], []
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: clock[0])
    saver = callbacks.Saver(lambda: states.append(epoch + 1), lambda: runs.append(epoch + 1), minutes=5)
    saver.set_model(SimpleNamespace(stop_training=False))
    saver.set_params({"epochs": 7, "steps": 1})
    for epoch in range(7):
        clock[0] += seconds
        saver.on_epoch_end(epoch)
    assert states == runs == saved


def test_an_epoch_after_which_a_training_stops_is_saved(monkeypatch):
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: 0.0)
    states = []
    saver = callbacks.Saver(lambda: states.append(epoch), lambda: None, minutes=5)
    saver.set_model(SimpleNamespace(stop_training=False))
    saver.set_params({"epochs": 7, "steps": 1})
    for epoch in range(4):
        saver.model.stop_training = epoch == 3
        saver.on_epoch_end(epoch)
    assert states == [0, 3]


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_run_is_called_kept_only_where_there_is_one(epoch):
    guard = callbacks.Guard(Progress(epoch=epoch, losses=[(float("nan"), 1.0)]), 10)
    with pytest.raises(CganError, match="losses became nan and 1.0") as error:
        guard.on_train_batch_end(0)
    assert ("is kept" in str(error.value)) == bool(epoch)


@pytest.mark.parametrize(("value", "sentence"), [(float("nan"), "losses became"), (-9.0, "collapsed")])
def test_a_hopeless_training_stops_and_says_why(value, sentence, tiny, digits, tmp_path):
    with pytest.raises(CganError, match=sentence) as error:
        train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[Break(value)])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "a").exists()  # nothing half-written


def test_a_generator_whose_drawings_differ_less_than_the_eye_can_see_has_collapsed(tiny, digits):
    gan = make_gan(tiny, digits, "float32")
    kernel, bias = gan.generator.trainable_variables[-2:]
    kernel.assign(kernel * 1e-3)
    bias.assign(keras.ops.full_like(bias, -2.0))
    guard = callbacks.Guard(Progress(), 10)
    guard.set_model(gan)
    with pytest.raises(CganError, match="collapsed"):
        guard.on_epoch_end(0)


def test_the_guard_lets_a_fresh_generator_pass(digits):
    for name in ("tiny", "modelo_1", "modelo_3_28px"):
        guard = callbacks.Guard(Progress(), 10)
        guard.set_model(make_gan(Experiment("x", "mnist", name, epochs=1), digits, "float32"))
        guard.on_epoch_end(0)
