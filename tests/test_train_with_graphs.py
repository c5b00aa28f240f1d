"""The steps that are recorded for a graphics card, taken one by one on the processor."""

from dataclasses import replace

import numpy as np
import pytest

from cgan_utils.backend import BACKEND, keras
from cgan_utils.errors import CganError
from cgan_utils.training import train as training

pytestmark = pytest.mark.skipif(BACKEND != "torch", reason="of PyTorch; test_other_backends.py runs it")
if BACKEND == "torch":
    import torch
    import train_with_graphs

    from cgan_utils.models.architectures import LATENT


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
def test_a_recorded_step_is_the_game_s_own(tiny, digits, optimizer, monkeypatch):
    settings = replace(tiny, optimizer=optimizer)
    theirs, ours = (training.make_game(settings, digits) for _ in range(2))
    for gan in (theirs, ours):
        gan.discriminator.get_layer("output_dropout").rate = 0  # it draws from another generator
    torch.manual_seed(3)
    losses = train_with_graphs.Steps(ours, digits, 16).epoch(np.arange(64))
    torch.manual_seed(3)
    monkeypatch.setattr(keras.random, "normal", lambda shape, seed: torch.randn(16, LATENT))
    for step in range(4):
        batch = slice(16 * step, 16 * (step + 1))
        theirs.train_step((torch.as_tensor(digits.x_train[batch]), torch.as_tensor(digits.y_train[batch])))
        np.testing.assert_array_equal(losses[step], keras.ops.convert_to_numpy(theirs.batch_losses.value)[-1])
    owners = [(theirs, ours), *zip(theirs.optimizers, ours.optimizers, strict=True), (theirs.scores, ours.scores)]
    pairs = [pair for one, other in owners for pair in zip(one.variables, other.variables, strict=True)]
    for one, other in pairs:
        if one is not theirs.batch_losses and "seed" not in one.path:
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-8, err_msg=one.path)


def test_a_training_leaves_the_same_record_and_can_be_resumed(tiny, digits, run, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_fit", train_with_graphs.fit)
    train = lambda **options: training.train(tiny, tmp_path / "a", data=digits, verbose=0, **options)  # noqa: E731
    assert train(epochs=1).record["training"]["epochs"] == 1
    longer = train(resume=True)
    assert list(longer.history) == list(run.history)
    assert longer.losses.shape == run.losses.shape and np.isfinite(longer.losses).all()
    assert longer.evolution.keys() == run.evolution.keys()


@pytest.mark.parametrize("changes", [{"update": "alternating"}, {"label_noise": 0.25}, {"game": "vae"}])
def test_what_a_graph_cannot_hold_is_refused(tiny, digits, changes):
    game = training.make_game(replace(tiny, **changes), digits)
    with pytest.raises(CganError, match="cgan train"):
        train_with_graphs.Steps(game, digits, 16)


def test_bad_input_gets_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match="did you mean modelo_5_cifar10"):
        train_with_graphs.main(["modelo_5_cifar10_v9", "--out", str(tmp_path / "a")])
