from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tensors import array

from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.files import ENCODER, LAST
from cgan_utils.lessons.vae_vs_gan import encode
from cgan_utils.models.architectures import ARCHITECTURES, LATENT
from cgan_utils.models.class_noise import decoder_of
from cgan_utils.models.layers import to_signed
from cgan_utils.models.sampling import decode, latent
from cgan_utils.models.vae import ConditionalVAE, divergence, gaussian_log_likelihood
from cgan_utils.results.run import Run
from cgan_utils.training.train import make_game, train

ops = keras.ops


@pytest.fixture
def settings(tiny):
    return replace(tiny, name="tiny_vae", game="vae", optimizer="adam", learning_rate=1e-3)


@pytest.fixture
def noisy(settings, monkeypatch):
    """The same with class noise."""
    row = replace(ARCHITECTURES["tiny"], class_noise=True)
    monkeypatch.setitem(ARCHITECTURES, "tiny_noisy", row)
    return replace(settings, architecture="tiny_noisy", pixel_variance=0.1)


def test_class_noise_is_at_first_the_noise_itself(noisy, numbers):
    game = make_game(noisy, numbers)
    labels, z = np.arange(10, dtype="int32"), latent(range(10))
    np.testing.assert_allclose(array(game.generator([z, labels])), array(game.drawer([z, labels])), atol=1e-5)
    assert not {"class_mean", "class_root"} & {v.path.split("/")[0] for v in game.drawer.trainable_variables}


def test_noise_is_spread_like_the_codes_of_each_class(noisy, numbers):
    game, random = make_game(noisy, numbers), np.random.default_rng(0)
    mixing = random.normal(size=(2, LATENT, LATENT)).astype("float32") / 10 + np.eye(LATENT, dtype="float32")
    for _ in range(60):
        labels = random.integers(0, 2, 64).astype("int32")
        z = np.einsum("nij,nj->ni", mixing[labels], random.normal(size=(64, LATENT))) + 3 * labels[:, None]
        z = z.astype("float32")
        game.note(*map(ops.convert_to_tensor, (z, np.full_like(z, 0.5), labels)))
    generator = game.drawer
    spread = keras.Model(generator.inputs, generator.get_layer("class_noise").output)
    noise = latent(range(3000))
    for label in range(2):
        drawn = array(spread([noise, np.full(3000, label, "int32")]))
        covariance = mixing[label] @ mixing[label].T + 0.5 * np.eye(LATENT)
        assert np.abs(drawn.mean(axis=0) - 3 * label).max() < 0.4
        assert np.linalg.norm(np.cov(drawn.T) - covariance) < 0.35 * np.linalg.norm(covariance)
    rest = array(spread([noise[:5], np.full(5, 7, "int32")]))  # a class that was never seen
    np.testing.assert_allclose(rest, noise[:5], atol=1e-5)


def test_a_run_with_class_noise_resumes_exactly_and_opens_without_the_game(noisy, numbers, tmp_path):
    whole = train(noisy, tmp_path / "whole", data=numbers, epochs=2, verbose=0)
    train(noisy, tmp_path / "parts", data=numbers, epochs=1, verbose=0)
    parts = train(noisy, tmp_path / "parts", data=numbers, epochs=2, resume=True, verbose=0)
    assert whole.weights == parts.weights
    assert np.abs(array(whole.generator().get_layer("class_mean").embeddings)).max() > 0
    codes = latent([3])
    plain, spread = decoder_of(whole.generator()), whole.generator()
    assert not np.allclose(array(plain([codes, np.zeros(1, "int32")])), array(spread([codes, np.zeros(1, "int32")])))


def test_divergence_equals_its_definition():
    """KL(q || p) = E_q[log q - log p], here by numerical integration of one dimension after the other."""
    means, log_variances = np.array([[0.3, -1.2]]), np.array([[0.5, -0.7]])
    z = np.linspace(-12, 12, 200_001)
    expected = 0.0
    for mean, log_variance in zip(means[0], log_variances[0], strict=True):
        q = stats.norm(mean, np.exp(0.5 * log_variance))
        expected += np.trapezoid(q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), z)
    tensors = (keras.ops.convert_to_tensor(part, "float32") for part in (means, log_variances))
    assert array(divergence(*tensors))[0] == pytest.approx(expected)
    nothing = keras.ops.zeros((1, 5))
    assert array(divergence(nothing, nothing))[0] == 0


def test_likelihood_equals_scipys():
    random = np.random.RandomState(0)
    x, mean = random.uniform(-1, 1, (2, 3, 4, 4, 1)).astype("float32")
    expected = stats.norm(mean, np.sqrt(0.3)).logpdf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(array(gaussian_log_likelihood(x, mean, 0.3)), expected, rtol=1e-5)


def linear_model(variance, tilt=0.0):
    """A VAE with a linear decoder x = W z + b of two dimensions, its exact posterior as encoder, and log p(x)."""
    random = np.random.RandomState(1)
    w, b = random.standard_normal((2, 16)).astype("float32"), random.standard_normal(16).astype("float32")
    posterior = np.linalg.inv(np.eye(2) + w @ w.T / variance)  # Bishop 2006, equation 12.42
    # Off the diagonal the encoder has nothing to say, so turn z until the posterior is diagonal.
    _, turn = np.linalg.eigh(w @ w.T)
    w = (turn.T @ w).astype("float32")
    posterior = np.diag(np.linalg.inv(np.eye(2) + w @ w.T / variance))
    image, label, z = keras.Input((4, 4, 1)), keras.Input((), dtype="int32"), keras.Input((2,))
    mean = keras.layers.Dense(2, name="mean")
    spread = keras.layers.Dense(2, name="spread")
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model([image, label], keras.layers.Concatenate()([mean(flat), spread(flat)]))
    pixels = keras.layers.Dense(16, name="pixels")
    decoder = keras.Model([z, label], keras.layers.Reshape((4, 4, 1))(pixels(z)))
    to_mean = (w.T * posterior / variance).astype("float32")
    mean.set_weights([to_mean, -b @ to_mean])
    spread.set_weights([np.zeros((16, 2), "float32"), (np.log(posterior) + tilt).astype("float32")])
    pixels.set_weights([w, b])
    marginal = stats.multivariate_normal(b, w.T @ w + variance * np.eye(16))
    return ConditionalVAE(encoder, decoder, variance), marginal


def bound_of(model, images):
    images, labels = ops.convert_to_tensor(images), ops.zeros(len(images), "int32")
    return -sum(float(array(term)) for term in model.bound(images, labels, keras.random.SeedGenerator(0)))


def test_the_bound_is_the_log_likelihood_where_the_posterior_is_exact_and_below_it_elsewhere():
    model, marginal = linear_model(0.5)
    images = marginal.rvs(4000, random_state=2).astype("float32")
    truth = marginal.logpdf(images).mean()
    images = images.reshape(-1, 4, 4, 1)
    assert bound_of(model, images) == pytest.approx(truth, abs=0.05)
    wider, _ = linear_model(0.5, tilt=1.0)
    gap = 2 * 0.5 * (np.e - 1 - 1)  # KL between the two posteriors: two dimensions, variances e times too large
    assert bound_of(wider, images) == pytest.approx(truth - gap, abs=0.1)


def test_every_weight_gets_a_gradient(settings, digits):
    vae = make_game(settings, digits, "float32")
    images, labels = to_signed(digits.x_train[:16]), ops.convert_to_tensor(digits.y_train[:16])
    weights = vae.encoder.trainable_variables + vae.generator.trainable_variables

    def play():
        return [sum(vae.bound(images, labels, vae.noise_seed, training=True))], None

    for variable, slope in zip(weights, value_and_gradients(play, [weights])[2][0], strict=True):
        assert np.abs(array(ops.convert_to_tensor(slope))).max() > 0, variable.path


def test_with_a_variance_of_a_half_the_loss_is_the_squared_error_and_a_constant(settings, digits):
    vae = make_game(replace(settings, pixel_variance=0.5), digits, "float32")
    images, labels = to_signed(digits.x_test[:1]), ops.convert_to_tensor(digits.y_test[:1])
    reconstruction, _ = vae.bound(images, labels, 7)
    mean, log_variance = vae.encode(images, labels)
    z = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=7)
    squares = float(array(ops.sum(ops.square(images - vae.generator([z, labels])))))
    assert float(array(reconstruction)) == pytest.approx(squares + 784 / 2 * np.log(np.pi), rel=1e-5)


def test_a_test_step_changes_no_weight_and_repeats_itself(settings, digits):
    vae = make_game(settings, digits, "float32")
    before = vae.get_weights()
    first, second = (vae.evaluate(digits.x_test, digits.y_test, return_dict=True, verbose=0) for _ in range(2))
    assert first == second
    assert all(map(np.array_equal, before, vae.get_weights()))


def test_a_run_keeps_decoder_and_encoder_and_a_record_of_both_terms(settings, digits, tmp_path):
    run = train(settings, tmp_path / "vae", data=digits, verbose=0)
    assert set(run.weights) == {LAST, ENCODER}
    assert list(run.record["parameters"]) == ["generator", "encoder"]
    assert {"reconstruction", "kl", "val_reconstruction", "val_kl"} <= set(run.history)
    assert run.loss_names == ("reconstruction", "kl")
    assert run.losses.shape == (8, 2)
    assert "evidence lower bound" in (run.path / "README.md").read_text()
    codes = run.network(ENCODER)([to_signed(digits.x_test[:2]), ops.convert_to_tensor(digits.y_test[:2])])
    assert codes.shape == (2, 200)
    np.testing.assert_allclose(np.hstack(encode(run, digits.x_test[:2], digits.y_test[:2])), array(codes), atol=1e-5)
    z = np.zeros((3, 100))
    assert np.ptp(decode(run.generator(), z, [0, 0, 0]), axis=0).max() < 1e-6


@pytest.mark.one_backend
def test_interrupted_and_resumed_equals_never_interrupted(settings, digits, tmp_path):
    whole = train(settings, tmp_path / "whole", data=digits, verbose=0)
    train(settings, tmp_path / "parts", data=digits, verbose=0, epochs=1)
    parts = train(settings, tmp_path / "parts", data=digits, verbose=0, resume=True)
    assert parts.weights == whole.weights
    np.testing.assert_array_equal(parts.losses, whole.losses)
    assert Run(tmp_path / "parts").history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
