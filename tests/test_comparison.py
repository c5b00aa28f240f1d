import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cgan_utils.data import datasets
from cgan_utils.errors import CganError
from cgan_utils.files import AVERAGED, LAST
from cgan_utils.images import grid
from cgan_utils.lessons import vae_vs_gan as comparison
from cgan_utils.lessons.vae_vs_gan import Judge, arc, covered, sharpness
from cgan_utils.models.experiments import Experiment, experiment
from cgan_utils.models.networks import build, multiply_adds
from cgan_utils.models.sampling import latent
from cgan_utils.results.conditioning import class_means, class_share, class_shares, resemblance
from cgan_utils.results.run import Run
from cgan_utils.results.tables import change, differences, operations, sizes, trainings
from cgan_utils.training.train import train
from cgan_utils.views.comparison import (
    at_a_glance,
    at_the_same_age,
    by_class,
    conditioning,
    cost_of_an_epoch,
    last_and_averaged,
    over_seeds,
    strips,
    training_curves,
)


@pytest.fixture(scope="session")
def vae(digits, tmp_path_factory):
    settings = Experiment("tiny_vae", "mnist", "tiny", epochs=1, batch_size=16, game="vae")
    return train(settings, tmp_path_factory.mktemp("runs") / "tiny_vae", data=digits, verbose=0)


@pytest.fixture(scope="session")
def shapes():
    return datasets.load("fashion_mnist", stand_in=True)


@pytest.fixture(scope="session")
def judge(shapes):
    return Judge(shapes, epochs=5)


def flat(level, count=1):
    return np.full((count, 4, 4, 1), level, "uint8")


def test_sharpness_is_the_mean_difference_of_neighbours():
    stripes = np.zeros((2, 4, 4, 1), "uint8")
    stripes[:, :, ::2] = 255  # every horizontal neighbour differs, no vertical one
    assert sharpness(stripes) == 255 / 2
    assert sharpness(flat(255)) == 0


def test_a_real_point_is_covered_if_a_drawn_one_is_as_near_as_its_neighbour(monkeypatch):
    monkeypatch.setattr(comparison, "NEIGHBOURS", 1)
    real = np.array([[0.0], [1.0], [10.0], [12.0]])  # their nearest ones are 1, 1, 2 and 2 away
    assert covered(real, np.array([[0.5]])).tolist() == [True, True, False, False]
    assert covered(real, np.array([[-1.0], [14.5]])).tolist() == [True, False, False, False]
    assert not covered(real, np.array([[100.0]])).any()
    assert covered(real, real).all()


def test_few_points_and_equal_points_have_a_coverage():
    assert covered(np.zeros((2, 3)), np.zeros((4, 3))).all()
    assert not covered(np.zeros((9, 3)), np.ones((1, 3))).any()


def test_the_class_share_of_the_variance_by_hand():
    by_class, by_noise = np.array([[10], [30]]), np.array([[0, 40]])
    blank = np.zeros((2, 2, 3, 3, 1))
    assert class_share(blank + by_class[..., None, None, None]) == 1
    assert class_share(blank + by_noise[..., None, None, None]) == 0
    both = blank + (by_class + by_noise)[..., None, None, None]  # variances 100 and 400
    assert class_share(both) == pytest.approx(0.2)
    assert class_share(blank) == 0


def test_class_shares_follow_a_run_from_epoch_to_epoch(run):
    shares = class_shares(run)
    assert list(shares.index) == list(run.evolution)
    drawn = run.generate(np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)).reshape(10, 10, 28, 28, 1)
    assert shares.iloc[-1] == pytest.approx(class_share(drawn), abs=0.02)  # stored weights are rounded
    line = conditioning([run]).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xydata(), list(shares.items()))


def test_class_means_keep_the_classes_apart():
    images = np.concatenate([flat(10), flat(30), flat(200), flat(100)])
    means = class_means(images, [0, 0, 2, 1])
    assert means.shape == (3, 4, 4, 1)
    assert means[:, 0, 0, 0].tolist() == [20, 100, 200]


def test_resemblance_is_a_correlation_after_what_all_classes_share():
    real = np.array([[0.0, 0, 90], [0, 90, 0], [90, 0, 0]])
    np.testing.assert_allclose(resemblance(real * 0.1 + 50, real), 1)  # paler, and brighter throughout
    np.testing.assert_allclose(resemblance(real[[1, 2, 0]], real), -0.5)  # each class draws another one
    assert resemblance(np.full((3, 3), 7.0), real).tolist() == [0, 0, 0]  # all classes alike


def test_trainings_side_by_side_have_a_line_each_in_every_panel():
    rows = {"epoch": [1, 2], "d_loss": [1.0, 0.5], "g_loss": [1.0, 2.0], "accuracy": [0.9, 0.95]}
    history = pd.DataFrame({**rows, "val_accuracy": [0.9, 0.85]})
    figure = training_curves({"one": history, "two": history})
    assert [len(axis.lines) for axis in figure.axes] == [2, 2, 3]  # and zero
    np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), [0, 10])
    judged_alike = history.assign(seen_recall=[0.8, 0.7], val_recall=[0.8, 0.6])
    np.testing.assert_allclose(training_curves({"one": judged_alike}).axes[2].lines[1].get_ydata(), [0, 10])


def test_runs_at_a_glance_compare_losses_by_images_seen_and_drawings_by_noise(run, tmp_path):
    other = Run(shutil.copytree(run.path, tmp_path / "other"))
    figure = at_a_glance([run, other], ["3", "1"], columns=2)
    losses, gap, drawings = figure.axes[:2], figure.axes[2], figure.axes[3:]
    # 8 steps of 16 digits: a fourth of them at a time
    for axis, values in zip(losses, run.losses.T, strict=True):
        line = axis.lines[0]
        np.testing.assert_array_equal(line.get_xdata(), [32, 64, 96, 128])
        np.testing.assert_allclose(line.get_ydata(), values.reshape(4, 2).mean(axis=1), rtol=1e-6)
    expected = 100 * (run.history["accuracy"] - run.history["val_accuracy"])
    np.testing.assert_allclose(gap.lines[0].get_ydata(), expected)
    shown = grid(run.generate([3, 3, 1, 1], [0, 1, 0, 1]), 2, background=255)
    assert [axis.get_title() for axis in drawings] == ["tiny_digits\n2 epochs", "other\n2 epochs"]
    np.testing.assert_array_equal(drawings[1].images[0].get_array(), shown[..., 0])


def test_the_cost_of_an_epoch_is_seen_against_parameters_and_arithmetic():
    row = {"parameters": 10, "images": 5, "operations_per_image": 2e12, "seconds per epoch": 7}
    figure = cost_of_an_epoch(pd.DataFrame([row], index=["one"]))
    assert [axis.collections[0].get_offsets().tolist() for axis in figure.axes] == [[[10, 7]], [[10, 7]]]


def test_one_network_under_several_names_has_one_label():
    row = {"parameters": 10, "images": 5, "operations_per_image": 2e12, "seconds per epoch": 7}
    rows = [row, {**row, "seconds per epoch": 8}, {**row, "parameters": 20}]
    figure = cost_of_an_epoch(pd.DataFrame(rows, index=["one", "two", "three"]))
    assert {text.get_text() for text in figure.axes[0].texts} == {"one\ntwo", "three"}


def test_both_generators_of_a_run_draw_the_same_noise(run, tmp_path):
    figure = last_and_averaged(run, [3, 1], columns=2)
    titles, shown = zip(*((axis.get_title(), axis.images[0].get_array()) for axis in figure.axes), strict=True)
    assert titles == ("last: this one draws", "averaged")
    expected = grid(run.generate([3, 3, 1, 1], [0, 1, 0, 1], file=AVERAGED), 2)[..., 0]
    np.testing.assert_array_equal(shown[1], expected)
    assert not np.array_equal(*shown)


def test_a_last_generator_that_did_not_ship_is_shown_by_what_it_drew(run, tmp_path):
    folder = shutil.copytree(run.path, tmp_path / "half")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del record["weights"][LAST]
    (folder / "run.json").write_text(json.dumps({**record, "draws_with": AVERAGED}), encoding="utf-8")
    (folder / LAST).unlink()
    both, half = (last_and_averaged(one, [3, 1], columns=2).axes for one in (run, Run(folder)))
    assert [axis.get_title() for axis in half] == ["last", "averaged: this one draws"]
    for one, other in zip(both, half, strict=True):  # the same images, up to the rounding of the stored weights
        np.testing.assert_allclose(one.images[0].get_array(), other.images[0].get_array(), atol=2)


def test_runs_are_compared_at_the_last_epoch_that_all_of_them_kept():
    def fake(name, *epochs, classes="ab"):
        evolution = {epoch: np.full((4, 6, 1), epoch, "uint8") for epoch in epochs}
        given = {"evolution": evolution, "shown_classes": classes, "conditional": len(classes) > 1}
        return SimpleNamespace(name=name, path=object(), **given)

    figure = at_the_same_age([fake("one", 0, 1, 5, 10), fake("two", 0, 1, 2, 5)])
    assert figure.get_suptitle().startswith("After epoch 5: ")
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    assert all((axis.images[0].get_array() == 5).all() for axis in figure.axes)
    alone = at_the_same_age([fake("one", 0, classes="a"), fake("two", 0, classes="a")])
    assert not alone.axes[0].axison and "a seed of its own" in alone.get_suptitle()
    with pytest.raises(CganError, match="different classes"):
        at_the_same_age([fake("one", 0), fake("two", 0, classes="xyz")])


def test_a_training_in_numbers():
    rows = {"epoch": [1, 2], "d_loss": [9.0, 0.5], "val_d_loss": [1.0, 3.0], "accuracy": [0, 0.9]}
    history = pd.DataFrame({**rows, "val_accuracy": [0, 0.8], "val_recall": 0.6})
    fake = SimpleNamespace(name="fake", path="fake", history=history)
    found = trainings([fake], last=1).loc["fake"]
    expected = {"loss": 0.5, "test loss": 3, "noise": 1, "accuracy": 0.9, "test accuracy": 0.8, "gap": 10}
    assert found.to_dict() == pytest.approx({**expected, "overfitting": np.nan}, nan_ok=True)
    # Ten points more of the real images are taken for real; on drawings, which are new, the verdicts are the same.
    fake.history["seen_recall"] = [np.nan, 0.7]  # recorded from the second epoch on
    assert trainings([fake]).loc["fake", "overfitting"] == pytest.approx(10)
    paired = SimpleNamespace(name="paired", path="paired", history=pd.DataFrame({"d_loss": [2.0], "val_d_loss": [3.0]}))
    assert trainings([paired, fake])["gap"].isna().tolist() == [True, False]


def test_a_change_stands_beside_the_larger_spread_of_its_two_measurements():
    steady, shaky = ({"mean": 2.0, "values": [1.9, 2.0, 2.1]}, {"mean": 5.0, "values": [4.5, 5.5, 5.0]})
    assert change(steady, shaky) == {"before": 2, "after": 5, "spread": 1}
    assert change(shaky, steady) == {"before": 5, "after": 2, "spread": 1}


def test_differences_leave_out_what_is_the_same():
    table = differences({"a": {"base": 1, "up": ((2, 3),)}, "b": {"base": 1, "up": ()}})
    assert table.to_dict() == {"a": {"up": "((2, 3),)"}, "b": {"up": "()"}}


def test_sizes_are_those_that_are_counted():
    table = sizes({"ours": "modelo_1"}, 10, (28, 28, 1))
    networks = build("modelo_1", 10, (28, 28, 1))
    counts = [network.count_params() for network in networks]
    assert table.loc["ours"].tolist() == [*counts, *map(multiply_adds, networks)]


def test_a_training_is_costed_by_the_passes_through_its_layers():
    shape = (28, 28, 1)
    generator, judge = map(multiply_adds, build("modelo_1", 10, shape))
    assert operations(experiment("modelo_1_mnist_v1"), shape) == 6 * generator + 14 * judge  # 2 for each multiply-add
    assert operations(experiment("cvae_fashion_mnist"), shape) == 6 * generator + 6 * judge
    generator, judge = build("modelo_6", 10, (32, 32, 3))
    learning, frozen = multiply_adds(judge, (True,)), multiply_adds(judge, (False,))
    modelo_6 = experiment("modelo_6_cifar10_v1", update="simultaneous")
    assert operations(modelo_6, (32, 32, 3)) == 6 * multiply_adds(generator) + 14 * learning + 6 * frozen
    by_turns = 8 * multiply_adds(generator) + 16 * learning + 8 * frozen  # each player gets a batch of its own
    assert operations(replace(modelo_6, update="alternating"), (32, 32, 3)) == by_turns
    assert np.isnan(operations(experiment("gan_ligera_mnist"), shape))


def test_an_arc_turns_by_equal_angles():
    points = arc(np.array([2.0, 0.0]), np.array([0.0, 2.0]), 4)
    np.testing.assert_allclose(np.degrees(np.arctan2(points[:, 1], points[:, 0])), [0, 30, 60, 90], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 2)


def test_an_arc_between_two_draws_stays_as_far_from_the_origin_as_they_are():
    start, end = latent((0, 1))
    lengths = np.linalg.norm(arc(start, end, 9), axis=1)
    assert np.ptp(lengths) < 1.5
    assert np.linalg.norm((start + end) / 2) < lengths.min() - 1


@pytest.mark.parametrize("end", [[1.0, 2.0], [-1.0, -2.0], [3.0, 6.0]])
def test_an_arc_to_the_same_or_the_opposite_direction_is_a_line(end):
    points = arc(np.array([1.0, 2.0]), np.array(end), 3)
    np.testing.assert_allclose(points[[0, 2]], [[1, 2], end])
    np.testing.assert_allclose(points[1], (points[0] + points[2]) / 2)


def test_interpolation_begins_and_ends_with_the_images_of_the_seeds(run):
    path = comparison.interpolate(run, 3, 0, 7, steps=5)
    ends = run.generate(3, [0, 7]).astype(int)
    assert path.shape == (5, 28, 28, 1)
    assert np.abs(path[[0, 4]] - ends).max() <= 1


def test_codes_and_reconstructions_do_not_depend_on_the_batch(vae, digits, monkeypatch):
    mean, log_variance = comparison.encode(vae, digits.x_test, digits.y_test)
    assert mean.shape == log_variance.shape == (len(digits.x_test), 100)
    whole = comparison.reconstruct(vae, digits.x_test, digits.y_test)
    assert whole.dtype == np.uint8
    monkeypatch.setattr(comparison, "BATCH", 7)
    np.testing.assert_allclose(comparison.encode(vae, digits.x_test, digits.y_test)[0], mean, atol=1e-5)


def test_the_judge_knows_its_shapes_and_sees_when_a_class_is_another(judge, shapes):
    assert judge.accuracy > 0.9
    scores = judge.scores(shapes.x_test, shapes.y_test)
    assert list(scores.index) == list(shapes.class_names)
    wrong = judge.scores(shapes.x_test, (shapes.y_test + 1) % 10)
    assert wrong["likeness"].mean() < 0.1 < 0.9 < scores["likeness"].mean()


def test_one_image_repeated_is_not_diverse_and_every_score_is_a_number(judge):
    own, _ = judge.reference[4]
    scores = judge.scores(np.repeat(own[:1], 6, axis=0), [4] * 6).iloc[0]
    assert scores["diversity"] == 0
    assert scores["likeness"] in (0, 1)
    assert not scores.isna().any()


def test_real_scores_use_images_that_are_not_in_the_reference(judge, shapes):
    assert [len(images) for images, _ in judge.reference] == [5] * 10
    assert [len(images) for images in judge.unseen] == [5] * 10
    for (known, _), unseen in zip(judge.reference, judge.unseen, strict=True):
        assert not {image.tobytes() for image in known} & {image.tobytes() for image in unseen}
    assert judge.real_scores(3).shape == (10, 4)


def test_every_figure_draws(judge):
    real = judge.real_scores(4)
    images = judge.unseen[0]
    assert len(strips({"a": {"x": images, "y": images}, "b": {"x": images, "y": images}}).axes) == 2
    figure = by_class({"one": real, "two": real * 0.5}, real)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(real.index)
    assert [axis.get_title() for axis in figure.axes] == ["Likeness", "Diversity", "Coverage", "Sharpness"]
    seen = [{"experiment": name, "seed": seed, "images_seen": n} for name in "ab" for seed in (0, 1) for n in (64, 128)]
    looks = pd.DataFrame([row | real.mean().to_dict() for row in seen])
    assert len(over_seeds(looks, real.mean(), {"a": "A", "b": "B"}).axes) == 4
    plt.close("all")
