from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.errors import CganError
from cgan_utils.models import game as games
from cgan_utils.models.gan import ConditionalGAN, DiscriminatorScores
from cgan_utils.models.layers import to_signed, to_uint8
from cgan_utils.models.networks import build
from cgan_utils.training.train import make_gan


def batch(count=16, shape=(28, 28, 1)):
    random = np.random.RandomState(1)
    return random.randint(0, 256, (count, *shape)).astype("uint8"), random.randint(0, 10, count).astype("int32")


def fit(gan, steps=1, count=16):
    images, labels = batch(count)
    return gan.fit(images, labels, batch_size=count, epochs=steps, verbose=0)


@pytest.fixture
def gan(tiny, digits):
    return make_gan(tiny, digits, "float32")


@pytest.mark.parametrize("name", ["tiny", "modelo_1", "modelo_3_28px", "gan_ligera", "tiny_unconditional"])
def test_every_weight_gets_a_gradient(name, tiny, digits):
    gan = make_gan(replace(tiny, architecture=name), digits, "float32")
    images, labels = map(keras.ops.convert_to_tensor, batch())
    noise = keras.random.normal((16, 100), seed=0)
    players = ("discriminator", "generator")
    weights = [getattr(gan, player).trainable_variables for player in players]
    _, _, gradients = value_and_gradients(lambda: gan.both_losses(to_signed(images), labels, noise), weights)
    for player, variables, slopes in zip(players, weights, gradients, strict=True):
        for variable, slope in zip(variables, slopes, strict=True):
            slope = keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(slope))
            assert np.abs(slope).max() > 0, f"{player}: {variable.path}"


@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
def test_a_step_moves_both_players_and_the_average(update, digits):
    gan = ConditionalGAN(*build("tiny", 10, (28, 28, 1)), update=update)
    from cgan_utils.models.losses import adversarial_loss

    gan.compile(adversarial_loss(), keras.optimizers.RMSprop(1e-3), keras.optimizers.RMSprop(1e-3))
    parts = (gan.generator, gan.discriminator, gan.averaged)
    before = [part.get_weights() for part in parts]
    fit(gan)
    for part, old in zip(parts, before, strict=True):
        assert any(np.abs(a - b).max() > 0 for a, b in zip(part.get_weights(), old, strict=True))
    assert int(gan.d_optimizer.iterations.numpy()) == int(gan.g_optimizer.iterations.numpy()) == 1


def test_the_two_forms_of_the_step_differ(tiny, digits):
    first, second = (
        make_gan(replace(tiny, update=update), digits, "float32") for update in ("simultaneous", "alternating")
    )
    np.testing.assert_array_equal(first.generator.get_weights()[0], second.generator.get_weights()[0])
    fit(first), fit(second)
    assert np.abs(first.generator.get_weights()[0] - second.generator.get_weights()[0]).max() > 0


def test_the_averaged_generator_by_hand(gan):
    start = gan.generator.get_weights()[0]
    fit(gan)
    keep = min(0.999, 2 / 11)  # after one step
    expected = keep * start + (1 - keep) * gan.generator.get_weights()[0]
    np.testing.assert_allclose(gan.averaged.get_weights()[0], expected, rtol=1e-5, atol=1e-7)


def test_test_step_changes_nothing_and_repeats_itself(gan):
    fit(gan)
    owners = (gan.generator, gan.discriminator, gan.averaged, gan.d_optimizer, gan.g_optimizer, gan.noise_seed)

    def state():
        variables = [v for owner in owners for v in getattr(owner, "variables", None) or [owner.state]]
        return [np.array(keras.ops.convert_to_numpy(v.value)) for v in variables]

    before = state()
    images, labels = batch(32)
    first, second = (gan.evaluate(images, labels, batch_size=16, return_dict=True, verbose=0) for _ in range(2))
    assert first == second
    for old, new in zip(before, state(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_scores_equal_scikit_learn():
    random = np.random.RandomState(3)
    score, truth, verdict = DiscriminatorScores(), [], []
    for _ in range(4):
        real, fake = (random.standard_normal((25, 1)).astype("float32") + shift for shift in (0.4, -0.3))
        score.update_state(keras.ops.convert_to_tensor(real), keras.ops.convert_to_tensor(fake))
        truth += [1] * 25 + [0] * 25
        verdict += list((np.concatenate([real, fake])[:, 0] > 0).astype(int))
    ours = {name: float(keras.ops.convert_to_numpy(number)) for name, number in score.result().items()}
    for name, function in (
        ("accuracy", metrics.accuracy_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        assert ours[name] == pytest.approx(function(truth, verdict), rel=1e-6)


def test_scores_of_nothing_are_zero_not_nan():
    score = DiscriminatorScores()
    negative = keras.ops.convert_to_tensor(np.full((3, 1), -1.0, "float32"))
    score.update_state(negative, negative)
    assert {name: float(number) for name, number in score.result().items()} == {
        "accuracy": 0.5,
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
    }


@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_where_only_differences_of_logits_mean_something_pairs_are_scored(tiny, digits, shift):
    gan = make_gan(replace(tiny, loss="relativistic"), digits, "float32")
    real, fake = (np.array(logits, "float32")[:, None] + shift for logits in ([1, 2, 0, 0.5], [0, 1, 0.5, 0]))
    gan.scores.update_state(*map(keras.ops.convert_to_tensor, (real, fake)))
    assert list(gan.scores.result()) == ["accuracy"]
    assert float(gan.scores.result()["accuracy"]) == 0.75  # three of four pairs are in the right order


def test_batch_losses_are_of_the_last_batch_and_logs_are_means(gan):
    images, labels = batch(48)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, step, logs=None):
            seen.append(np.array(keras.ops.convert_to_numpy(self.model.batch_losses.value))[-1])

    history = gan.fit(images, labels, batch_size=16, shuffle=False, callbacks=[Watch()], verbose=0).history
    assert len(seen) == 3
    assert len({tuple(pair) for pair in seen}) == 3
    means = np.mean(seen, axis=0)
    assert [history["d_loss"][0], history["g_loss"][0]] == pytest.approx(list(means), rel=1e-5)


def test_images_survive_the_way_to_signed_and_back():
    levels = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    signed = keras.ops.convert_to_numpy(to_signed(levels))
    assert signed.min() == -1
    assert signed.max() == 1
    np.testing.assert_array_equal(to_uint8(signed), levels)


def test_an_unknown_update_is_refused():
    with pytest.raises(CganError, match="alternating"):
        ConditionalGAN(*build("tiny", 10, (28, 28, 1)), update="alternate")


def test_a_game_feeds_its_batches(gan, monkeypatch):
    given = []
    monkeypatch.setattr(games, "feed", lambda batches: ("fed", batches))
    monkeypatch.setattr(keras.Model, "fit", lambda _, x, **options: given.extend([x, options["validation_data"]]))
    monkeypatch.setattr(keras.Model, "evaluate", lambda _, x, **options: given.append(x))
    gan.fit("training", validation_data="test", steps_per_epoch=1)
    gan.evaluate("seen", verbose=0)
    assert given == [("fed", "training"), ("fed", "test"), ("fed", "seen")]
