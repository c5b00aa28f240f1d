"""Several training steps in one call, mirrored images and rates that fall."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cgan_utils.backend import BACKEND, keras
from cgan_utils.errors import CganError
from cgan_utils.models.experiments import Experiment
from cgan_utils.training.batches import batches, stacked
from cgan_utils.training.checkpoints import read_progress
from cgan_utils.training.train import make_game, train

jax_alone = pytest.mark.skipif(BACKEND != "jax", reason="of JAX; test_other_backends.py runs it")


def numbered(count):
    """Batches of two images, in which every pixel and label is the number of the batch."""
    return ((np.full((2, 4, 4, 1), i, "uint8"), np.full(2, i)) for i in itertools.count() if i < count)


def test_stacks_hold_the_same_batches_and_end_with_each_epoch():
    stacks = list(itertools.islice(stacked(numbered(12), together=3, steps=7, step=2), 5))
    assert [images.shape for images, _ in stacks] == [(3, 2, 4, 4, 1)] * 5
    assert [labels[:, 0].tolist() for _, labels in stacks] == [
        *([0, 1, 2], [3, 4, -1]),  # what is left of the first epoch: its steps 2 to 6
        *([5, 6, 7], [8, 9, 10], [11, -1, -1]),
    ]
    assert all(
        (images[:, 0, 0, 0, 0][labels[:, 0] >= 0] == labels[labels[:, 0] >= 0, 0]).all() for images, labels in stacks
    )


def test_half_of_the_images_are_mirrored_and_each_time_the_same_ones(digits):
    def take(**options):
        return list(itertools.islice(batches(digits.x_train, digits.y_train, 16, seed=0, **options), 4))

    plain, mirrored, again = take(), take(mirror=True), take(mirror=True)
    turned = []
    for (images, labels), (theirs, their_labels), (once_more, _) in zip(plain, mirrored, again, strict=True):
        np.testing.assert_array_equal(labels, their_labels)
        np.testing.assert_array_equal(theirs, once_more)
        for image, other in zip(images, theirs, strict=True):
            turned.append(bool((other != image).any()))
            np.testing.assert_array_equal(other, image[:, ::-1] if turned[-1] else image)
    assert 16 < sum(turned) < 48


def test_rates_fall_to_nothing_at_the_end_of_the_training(tiny, digits, tmp_path):
    falling = replace(tiny, optimizer="adam", schedule="cosine", d_learning_rate=1e-3)
    game = make_game(falling, digits)
    rates = []
    for step in (0, 4, 8):  # of 2 epochs of 4 steps
        for optimizer in game.optimizers:
            optimizer.iterations.assign(step)
            rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    assert rates == pytest.approx([1e-3, 2e-4, 5e-4, 1e-4, 0, 0], abs=1e-9)
    train(falling, tmp_path / "a", data=digits, verbose=0)
    with pytest.raises(CganError, match="epochs 2 → 3"):
        train(falling, tmp_path / "a", data=digits, resume=True, epochs=3, verbose=0)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(CganError, match="cosine"):
        Experiment("a", "mnist", "tiny", epochs=1, schedule="cosin")


@pytest.mark.skipif(BACKEND == "jax", reason="JAX can do it")
def test_without_jax_one_step_is_a_call(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="need JAX"):
        train(tiny, tmp_path / "a", data=digits, steps_per_call=5)
    assert not list(tmp_path.iterdir())


@jax_alone
def test_several_steps_in_a_call_are_the_same_steps(tiny, digits, tmp_path):
    one = train(tiny, tmp_path / "one", data=digits, verbose=0)
    three = train(tiny, tmp_path / "three", data=digits, steps_per_call=3, verbose=0)  # of 4 in an epoch
    np.testing.assert_allclose(three.losses, one.losses, rtol=2e-3, atol=2e-3)
    assert three.losses.shape == (8, 2)
    assert list(three.history) == list(one.history)
    columns = ["d_loss", "val_d_loss", "accuracy"]
    np.testing.assert_allclose(three.history[columns], one.history[columns], rtol=0.02)
    pictures = [run.evolution[2].astype(int) for run in (one, three)]
    assert np.abs(pictures[0] - pictures[1]).mean() < 1


@jax_alone
def test_a_checkpoint_fits_any_number_of_steps_per_call(tiny, digits, tmp_path):
    def stop(**options):
        train(tiny, tmp_path / "a", data=digits, steps_per_call=3, minutes=1e-9, verbose=0, **options)
        return read_progress(tmp_path / "a.checkpoint")

    assert (stop().epoch, stop(resume=True).step) == (0, 0)  # after a call of three steps, and after the epoch
    run = train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)
    assert run.record["training"]["steps"] == len(run.losses) == 8
    assert list(run.history["epoch"]) == [1, 2]
