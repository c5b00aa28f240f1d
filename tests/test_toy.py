"""The small GAN and the value function against numbers by hand, SciPy and pictures that change."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.lessons import toy

STEPS, MOMENTS = 6, 3


@pytest.fixture(scope="module")
def history():
    return toy.play("equilibrium", steps=STEPS, moments=MOMENTS, shown=50)


def test_the_ring_has_eight_centres_at_its_radius():
    assert np.linalg.norm(toy.CENTRES, axis=1) == pytest.approx(np.full(8, toy.RADIUS))
    assert toy.CENTRES[0] == pytest.approx([2, 0]) and toy.CENTRES[2] == pytest.approx([0, 2])
    points, labels = toy.ring(20_000, seed=3)
    away = points - toy.CENTRES[labels]
    assert away.mean() == pytest.approx(0, abs=0.01) and away.std() == pytest.approx(toy.SPREAD, rel=0.02)
    assert (toy.ring(20_000, seed=3)[0] == points).all()


def test_coverage_by_hand():
    half = np.concatenate([np.repeat(toy.CENTRES[:3], 10, axis=0), np.zeros((30, 2))])
    assert toy.coverage(half) == (3, 0.5)
    points, _ = toy.ring(5000)
    modes, good = toy.coverage(points)
    assert modes == 8
    assert good == pytest.approx(1 - np.exp(-9 / 2), abs=0.005)  # of a 2-D normal within three standard deviations


@pytest.mark.parametrize("name", toy.GAMES)
def test_a_history_holds_every_moment(name):
    history = toy.play(name, steps=STEPS, moments=MOMENTS, shown=50)
    assert history.steps.tolist() == [0, 2, 4, 6]
    assert history.points.shape == (4, 50, 2) and np.isfinite(history.points).all()
    assert history.verdicts.shape == (4, toy.CELLS, toy.CELLS)
    assert history.verdicts.min() >= 0 and history.verdicts.max() <= 1
    assert np.isnan(history.losses[0]).all() and np.isfinite(history.losses[1:]).all()
    assert (history.points[0] != history.points[-1]).any()


def test_the_same_seed_plays_the_same_game(history):
    toy.play.cache_clear()
    again = toy.play("equilibrium", steps=STEPS, moments=MOMENTS, shown=50)
    assert again is not history
    assert again.points == pytest.approx(history.points, abs=1e-5)
    other = toy.play("equilibrium", steps=STEPS, moments=MOMENTS, shown=50, seed=1)
    assert (other.points != history.points).any()


def test_verdicts_lie_where_the_picture_shows_them():
    """Row 0 is the lowest y and column 0 the lowest x."""
    gan = toy.ToyGAN(toy.GAMES["equilibrium"])
    _, verdicts = toy._look(gan, np.zeros((1, 2), "float32"), np.zeros(1, "int32"))
    place = np.array([[-toy.EDGE, toy.EDGE]], "float32")  # upper left
    logit = keras.ops.convert_to_numpy(keras.ops.stop_gradient(gan.judge(place, np.zeros(1, "int32"))))
    assert verdicts[-1, 0] == pytest.approx(1 / (1 + np.exp(-logit[0, 0])), abs=1e-5)


def test_only_the_conditional_game_listens_to_the_class():
    noise = np.ones((2, 2), "float32")
    for name, differ in (("equilibrium", False), ("conditional", True)):
        points = keras.ops.convert_to_numpy(
            keras.ops.stop_gradient(toy.ToyGAN(toy.GAMES[name]).generate(noise, np.array([0, 5], "int32")))
        )
        assert (points[0] != points[1]).any() == differ


def test_both_players_move():
    gan = toy.ToyGAN(toy.GAMES["equilibrium"])
    before = [[np.array(w) for w in player.get_weights()] for player in (gan.generator, gan.discriminator)]
    gan.fit(*toy.ring(256), batch_size=256, verbose=0)
    after = [player.get_weights() for player in (gan.generator, gan.discriminator)]
    for old, new in zip(before, after, strict=True):
        assert any((a != b).any() for a, b in zip(old, new, strict=True))


def test_an_unknown_game_is_a_sentence():
    with pytest.raises(CganError, match="no game 'collaps'; did you mean collapse"):
        toy.play("collaps")


@pytest.mark.parametrize(("mean", "spread"), [(0, 1), (1.5, 1), (-3, 0.5), (4, 1), (0, 2)])
def test_the_value_against_the_best_judge_is_the_jensen_shannon_divergence(mean, spread):
    p_data, p_model = toy.normal(0, 1), toy.normal(mean, spread)
    best = toy.best_discriminator(p_data, p_model)
    divergence = jensenshannon(p_data, p_model) ** 2
    # The grid ends at 8, so densities that reach beyond lose a little.
    assert sum(toy.value(p_data, p_model, best)) == pytest.approx(-2 * np.log(2) + 2 * divergence, abs=2e-3)
    for worse in (0.5 + 0 * best, best**2, 0.9 * best):
        assert sum(toy.value(p_data, p_model, worse)) <= sum(toy.value(p_data, p_model, best)) + 1e-9


def test_the_value_of_guessing_by_hand():
    p = toy.normal(0, 1)
    assert toy.value(p, p, np.full_like(p, 0.5)) == pytest.approx((-np.log(2), -np.log(2)), rel=1e-6)


def pictures(view, **values):
    """The PNG that a view shows at first, and after each of its controls is set to a value, one after the other."""
    seen = [bytes(view.image.value)]
    for control, value in values.items():
        getattr(view, control).value = value
        seen.append(bytes(view.image.value))
    return seen


def test_the_value_view_follows_its_sliders():
    seen = pictures(toy.explore_value(), mean=0.0, spread=2.0)
    assert len(set(seen)) == 3 and all(png.startswith(b"\x89PNG") for png in seen)


def test_the_history_view_follows_its_slider_and_its_game(history):
    other = toy.play("conditional", steps=STEPS, moments=MOMENTS, shown=50)
    seen = pictures(toy.explore_games(history, other), moment=0, game=1)
    assert len(set(seen)) == 3 and all(png.startswith(b"\x89PNG") for png in seen)


def test_the_still_figures_say_what_they_show(history):
    strip = toy.filmstrip(history, [0, 2])
    assert strip.get_suptitle() == "Equilibrium" and "step 4" in strip.axes[1].get_title()
    curves = toy.game_curves([history])
    assert curves.axes[0].get_ylabel() == "loss (nats)"
