import math

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.models.losses import adversarial_loss, binary_cross_entropy

ops = keras.ops

REAL, FAKE = np.array([[2.0], [-1.0]], "float32"), np.array([[0.5], [-3.0]], "float32")


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def value(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def test_minimax_by_hand():
    loss = adversarial_loss("minimax")
    real = -(math.log(sigmoid(2.0)) + math.log(sigmoid(-1.0))) / 2
    fake = -(math.log(1 - sigmoid(0.5)) + math.log(1 - sigmoid(-3.0))) / 2
    assert value(loss.discriminator(REAL, FAKE)) == pytest.approx(real + fake, rel=1e-6)
    assert value(loss.generator(FAKE)) == pytest.approx(
        -(math.log(sigmoid(0.5)) + math.log(sigmoid(-3.0))) / 2, rel=1e-6
    )


def test_label_smoothing_by_hand():
    loss = adversarial_loss("minimax", smoothing=0.1)
    real = sum(-0.9 * math.log(sigmoid(x)) - 0.1 * math.log(1 - sigmoid(x)) for x in (2.0, -1.0)) / 2
    fake = -(math.log(1 - sigmoid(0.5)) + math.log(1 - sigmoid(-3.0))) / 2
    assert value(loss.discriminator(REAL, FAKE)) == pytest.approx(real + fake, rel=1e-6)
    assert value(loss.generator(FAKE)) == value(adversarial_loss().generator(FAKE))  # one-sided


def test_relativistic_by_hand():
    """Only the difference within a pair counts, and each player wants the opposite of the other."""
    loss = adversarial_loss("relativistic")
    real, fake = ops.convert_to_tensor([[2.0], [0.0]]), ops.convert_to_tensor([[1.0], [3.0]])
    by_hand = np.log1p(np.exp([-1.0, 3.0])).mean()
    assert float(loss.discriminator(real, fake)) == pytest.approx(by_hand, rel=1e-6)
    assert float(loss.discriminator(real + 5, fake + 5)) == pytest.approx(by_hand, rel=1e-6)
    assert float(loss.generator(fake, real)) == pytest.approx(np.log1p(np.exp([1.0, -3.0])).mean(), rel=1e-6)


def test_hinge_by_hand():
    loss = adversarial_loss("hinge")
    assert value(loss.discriminator(REAL, FAKE)) == pytest.approx((0 + 2) / 2 + (1.5 + 0) / 2)
    assert value(loss.generator(FAKE)) == pytest.approx(-(0.5 - 3.0) / 2)


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_equals_keras(target):
    logits = np.linspace(-6, 6, 13, dtype="float32")[:, None]
    keras_value = keras.losses.BinaryCrossentropy(from_logits=True)(np.full_like(logits, target), logits)
    assert value(binary_cross_entropy(logits, target)) == pytest.approx(value(keras_value), rel=1e-5)


def test_loss_stays_finite_where_the_sigmoid_would_round_to_zero():
    assert value(binary_cross_entropy(np.array([[-200.0]], "float32"), 1.0)) == pytest.approx(200)


def test_noisy_labels_by_hand_with_targets_in_their_range():
    loss = adversarial_loss("minimax", label_noise=0.25, seed=3)
    same = keras.random.SeedGenerator(3)
    up = keras.ops.convert_to_numpy(keras.random.uniform(REAL.shape, -1.0, 1.0, seed=same))
    down = keras.ops.convert_to_numpy(keras.random.uniform(FAKE.shape, seed=same))
    targets = 1 + 0.25 * up, 0.25 * down
    assert 0.75 <= targets[0].min() <= targets[0].max() <= 1.25
    assert 0 <= targets[1].min() <= targets[1].max() <= 0.25
    tensors = map(keras.ops.convert_to_tensor, targets)
    expected = sum(value(binary_cross_entropy(*pair)) for pair in zip((REAL, FAKE), tensors, strict=True))
    first = value(loss.discriminator(REAL, FAKE))
    assert first == pytest.approx(expected, rel=1e-6)
    assert value(loss.discriminator(REAL, FAKE)) != first  # fresh labels each time
    assert value(loss.generator(FAKE)) == value(adversarial_loss().generator(FAKE))


@pytest.mark.parametrize(
    ("name", "smoothing", "noise"), [("hinge", 0, 0.2), ("minimax", 0, 0.5), ("minimax", 0.1, 0.1)]
)
def test_nonsense_of_label_noise_is_refused(name, smoothing, noise):
    with pytest.raises(CganError, match="Label"):
        adversarial_loss(name, smoothing, noise)


@pytest.mark.parametrize(
    ("name", "smoothing", "word"), [("minmax", 0, "minimax"), ("minimax", 0.5, "smoothing"), ("hinge", 0.1, "hinge")]
)
def test_nonsense_is_refused(name, smoothing, word):
    with pytest.raises(CganError, match=word):
        adversarial_loss(name, smoothing)
