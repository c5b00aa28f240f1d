"""modelo_6: each of its blocks by what it is there for, and its game on small networks."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.errors import CganError
from cgan_utils.files import AVERAGED, LAST
from cgan_utils.models.architectures import ARCHITECTURES, INGREDIENTS, Projected
from cgan_utils.models.classifier import Recipe
from cgan_utils.models.classifier import build as build_classifier
from cgan_utils.models.experiments import experiment
from cgan_utils.models.networks import build
from cgan_utils.models.projected import Augment, ClassSpread, SpectralConv, conditional_norm, fill_teacher
from cgan_utils.results.evaluator import Evaluator
from cgan_utils.training.batches import order
from cgan_utils.training.teachers import recipe, teacher_of
from cgan_utils.training.train import train

ops = keras.ops
numpy = ops.convert_to_numpy
SMALL = Projected(base=8, up=(8, 8), teacher=((8,), (8,)), head=16)
SHAPE = (28, 28, 1)


def images(count, shape=(8, 8, 3), seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype("float32")


def tensors(*arrays):
    return [ops.convert_to_tensor(array) for array in arrays]


def test_the_spectral_norm_is_the_largest_singular_value():
    layer = SpectralConv(6, 3)
    layer.build((None, 8, 8, 3))
    layer.kernel.assign(np.random.default_rng(1).normal(size=(3, 3, 3, 6)))
    for _ in range(100):
        found = layer.norm(training=True)
    by_numpy = np.linalg.svd(numpy(layer.kernel).reshape(27, 6), compute_uv=False)[0]
    assert float(numpy(found)) == pytest.approx(by_numpy, rel=1e-4)
    assert float(layer.norm()) == pytest.approx(by_numpy, rel=1e-4)  # outside training too, and nothing moves


def test_a_larger_kernel_makes_no_larger_output():
    layer, x = SpectralConv(4, 3, 2), ops.convert_to_tensor(images(2))
    before = numpy(layer(x))
    layer.kernel.assign(5 * numpy(layer.kernel))
    np.testing.assert_allclose(numpy(layer(x)), before, rtol=1e-4, atol=1e-6)
    assert before.shape == (2, 4, 4, 4)


def test_spread_is_zero_for_a_collapsed_class_and_the_standard_deviation_of_another():
    one, four = images(1), images(4, seed=1)
    planes, labels = tensors(np.concatenate([np.repeat(one, 4, axis=0), four]), np.repeat([3, 1], 4))
    out = numpy(ClassSpread()(planes, labels))
    assert out.shape == (8, 8, 8, 4)
    np.testing.assert_array_equal(out[..., :3], numpy(planes))
    deviation = four.std(axis=0, ddof=1).mean()
    assert np.abs(out[:4, ..., 3]).max() < 1e-6
    np.testing.assert_allclose(out[4:, ..., 3], 3 * deviation, rtol=1e-3)


def test_spread_of_one_image_is_zero_and_has_finite_gradients():
    planes, labels = keras.Variable(images(3)), tensors(np.array([0, 1, 2]))[0]

    def play():
        plane = ClassSpread()(planes.value, labels)[..., 3]
        return [ops.sum(plane)], plane

    _, plane, [[slopes]] = value_and_gradients(play, [[planes]])
    np.testing.assert_array_equal(numpy(plane), 0)
    assert np.isfinite(numpy(slopes)).all()


def test_spread_is_right_far_from_zero():
    planes = 100 + 0.01 * np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    out = numpy(ClassSpread()(*tensors(planes, np.zeros(4, int))))
    np.testing.assert_allclose(out[..., 3], 3 * planes.std(axis=0, ddof=1).mean(), rtol=0.02)
    alike = np.repeat(planes[:1], 4, axis=0)
    assert numpy(ClassSpread()(*tensors(alike, np.zeros(4, int))))[..., 3].max() < 1e-4


def test_spread_does_not_depend_on_the_order_of_the_batch():
    planes, labels, mixed = images(6), np.array([0, 1, 0, 1, 1, 0]), np.array([5, 1, 4, 0, 2, 3])
    straight = numpy(ClassSpread()(*tensors(planes, labels)))
    np.testing.assert_allclose(numpy(ClassSpread()(*tensors(planes[mixed], labels[mixed]))), straight[mixed], rtol=1e-5)


def test_augmentation_is_for_training_alone():
    x = ops.convert_to_tensor(images(4))
    np.testing.assert_array_equal(numpy(Augment(True)(x, training=False)), numpy(x))
    assert np.abs(numpy(Augment(True)(x, training=True)) - numpy(x)).mean() > 0.1


def test_augmentation_may_leave_the_range_but_not_far():
    out = numpy(Augment(True)(ops.convert_to_tensor(images(500)), training=True))
    assert 1 < np.abs(out).max() < 3


def test_augmentation_moves_an_image_by_an_eighth_and_mirrors_it_only_if_told():
    ramp = np.broadcast_to(np.linspace(-1, 1, 16, dtype="float32")[:, None], (300, 16, 16, 1))  # darker to the left
    for mirror in (True, False):
        out = numpy(Augment(mirror)(ops.convert_to_tensor(ramp), training=True))
        falling = out[:, 8, 0, 0] > out[:, 8, -1, 0]
        assert falling.mean() == (pytest.approx(0.5, abs=0.1) if mirror else 0)
        columns = [len(np.unique(np.round(image[8, :, 0], 4))) for image in out]
        assert min(columns) == 14  # the others are the border, repeated
        assert max(columns) == 16


def test_gradients_pass_through_the_augmentation():
    x = keras.Variable(images(4))
    augment = Augment(True)
    _, _, ((slope,),) = value_and_gradients(
        lambda: ([ops.mean(ops.square(augment(ops.convert_to_tensor(x), training=True)))], None), [[x]]
    )
    assert (np.abs(numpy(slope)).reshape(4, -1).max(axis=1) > 0).all()


def test_conditional_normalisation_differs_by_class_once_it_has_learned():
    planes, label = keras.Input((4, 4, 2)), keras.Input((), dtype="int32")
    network = keras.Model([planes, label], conditional_norm(planes, label, 3, "norm"))
    x, labels = tensors(np.repeat(images(1, (4, 4, 2)), 3, axis=0), np.arange(3, dtype="int32"))
    fresh = numpy(network([x, labels]))
    np.testing.assert_array_equal(fresh[0], fresh[1])
    network.get_layer("norm_scale_of_class").embeddings.assign([[1, 1], [2, 2], [1, 1]])
    network.get_layer("norm_shift_of_class").embeddings.assign([[0, 0], [0, 0], [5, 5]])
    taught = numpy(network([x, labels]))
    np.testing.assert_allclose(taught, fresh * [[[[1]]], [[[2]]], [[[1]]]] + [[[[0]]], [[[0]]], [[[5]]]], rtol=1e-5)


def test_the_discriminator_listens_to_the_class_and_has_a_verdict_of_each_head():
    _, discriminator = build(SMALL, 4, SHAPE)
    x, labels = tensors(np.repeat(images(1, SHAPE), 4, axis=0), np.arange(4, dtype="int32"))
    logits = numpy(discriminator([x, labels]))
    assert logits.shape == (4, 3)  # of the pixels and of two blocks
    assert (np.ptp(logits, axis=0) > 0).all()


def test_nothing_of_the_teacher_learns_or_moves():
    _, discriminator = build(SMALL, 4, SHAPE)
    teacher = build_classifier(Recipe(blocks=SMALL.teacher, pooled=True), SHAPE, 4)
    for variable in teacher.weights:
        variable.assign(np.random.default_rng(2).uniform(0.1, 1, variable.shape))
    fill_teacher(discriminator, teacher)
    inside = [discriminator.get_layer(f"block_{i}") for i in (1, 2)]
    assert not any(block.trainable_variables for block in inside)
    discriminator([*tensors(images(8, SHAPE), np.zeros(8, "int32"))], training=True)
    theirs = [teacher.get_layer(f"block_{i}") for i in (1, 2)]
    for ours, given in zip(inside, theirs, strict=True):
        for a, b in zip(ours.get_weights(), given.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_images_of_a_size_that_cannot_be_drawn_are_refused():
    with pytest.raises(CganError, match="30×30 pixels don't fit; use square ones, side divisible by 8"):
        build("modelo_6", 10, (30, 30, 3))


def test_a_batch_holds_groups_of_one_class_and_an_epoch_each_image_once():
    labels = np.random.default_rng(3).integers(0, 5, 203)
    places = order(labels, seed=1, epoch=2, group=4)
    assert sorted(places) == sorted(order(labels, seed=1, epoch=3, group=4)) == list(range(203))
    whole = sum(n // 4 for n in np.bincount(labels))
    groups = labels[places[: 4 * whole]].reshape(-1, 4)
    assert (groups == groups[:, :1]).all()
    assert len(np.unique(groups[:5, 0])) > 1
    np.testing.assert_array_equal(places, order(labels, seed=1, epoch=2, group=4))
    assert (places != order(labels, seed=1, epoch=3, group=4)).any()


def test_a_class_that_fills_no_group_is_learned_too():
    labels = np.repeat([0, 1, 2], [100, 101, 5])
    whole_batches = len(labels) // 16 * 16
    seen = np.concatenate([order(labels, seed=1, epoch=epoch, group=8)[:whole_batches] for epoch in range(12)])
    assert set(seen) == set(range(len(labels)))


@pytest.mark.parametrize("epoch", [2, 3])
def test_no_group_lies_across_two_batches(epoch):
    labels = np.repeat(np.arange(10), [161, 164, 160, 165, 163, 164, 163, 161, 157, 163])
    groups = labels[order(labels, seed=1, epoch=epoch, group=8)[: len(labels) // 8 * 8]].reshape(-1, 8)
    assert (groups == groups[:, :1]).all(axis=1).sum() == (np.bincount(labels) // 8).sum()


def test_groups_that_do_not_fill_a_batch_are_refused():
    with pytest.raises(CganError, match="A batch of 60 can't be divided into groups of 8"):
        experiment("modelo_6_cifar10_v1", batch_size=60)


# --- the game ---


@pytest.fixture(scope="module")
def game(judge):
    """An experiment with small networks that looks through a small teacher."""
    row = Projected(base=8, up=(8, 8), teacher=((8,), (16,)), looks=2, head=16, mirror=False)
    options = {"architecture": "small_projected", "dataset": "mnist", "batch_size": 16, "group": 4, "epochs": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "small_projected", row)
        patch.setattr("cgan_utils.training.teachers.find_teacher", lambda data: None if data.folder else judge)
        yield replace(experiment("modelo_6_mnist"), name="small", **options)


@pytest.fixture(scope="module")
def run(game, digits, tmp_path_factory):
    return train(game, tmp_path_factory.mktemp("projected") / "whole", data=digits, verbose=0)


def test_a_run_names_its_teacher_and_draws_with_the_averaged_generator(run, judge):
    assert run.record["teacher"] == {"accuracy": judge.accuracy, "sha256": judge.sha256}
    assert "Looks through | a classifier that knows" in (run.path / "README.md").read_text(encoding="utf-8")
    assert run.draws_with == AVERAGED
    assert run.generate([0, 1], 0).shape == (2, 28, 28, 1)
    assert np.isfinite(run.losses).all()
    last = run.generate(3, range(4), file=LAST)
    assert (last != run.generate(3, range(4))).any()


def test_it_resumes_to_the_same_end(game, run, digits, tmp_path):
    train(game, tmp_path / "parts", data=digits, verbose=0, minutes=1e-9)
    parts = train(game, tmp_path / "parts", data=digits, verbose=0, resume=True)
    np.testing.assert_array_equal(parts.losses, run.losses)
    assert parts.weights == run.weights


@pytest.mark.one_backend
def test_for_ones_own_pictures_a_teacher_is_trained_first(game, monkeypatch, numbers, tmp_path, capsys):
    monkeypatch.setattr("cgan_utils.training.teachers.SEEN", 3000)  # a few seconds instead of a minute
    settings = replace(game, epochs=1, schedule="constant")
    data = replace(numbers, name="digits", folder="digits").limited(400)
    run = train(settings, tmp_path / "run", data=data, verbose=0)
    teacher = Evaluator(tmp_path / "run.teacher")
    assert run.record["teacher"] == {"accuracy": teacher.accuracy, "sha256": teacher.sha256}
    assert teacher.accuracy > 0.2  # after 8 epochs; by chance 0.1
    assert "A classifier of digits is trained first" in capsys.readouterr().err
    again = train(settings, tmp_path / "run", data=data, resume=True, epochs=2, verbose=0)
    assert again.record["teacher"] == run.record["teacher"]


@pytest.mark.one_backend
def test_a_time_limit_counts_the_teacher_which_goes_on_afterwards(game, monkeypatch, numbers, tmp_path, capsys):
    monkeypatch.setattr("cgan_utils.training.teachers.SEEN", 300)
    settings = replace(game, epochs=1, schedule="constant")
    data = replace(numbers, name="digits", folder="digits").limited(400)
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "run", data=data, minutes=1e-9, verbose=0)
    assert "the same command goes on with it" in capsys.readouterr().err
    assert not (tmp_path / "run").exists() and any((tmp_path / "run.teacher.checkpoints").iterdir())
    assert train(settings, tmp_path / "run", data=data, verbose=0).record["training"]["complete"]


@pytest.mark.one_backend
def test_a_teacher_of_other_pictures_is_replaced(game, monkeypatch, numbers, tmp_path):
    monkeypatch.setattr("cgan_utils.training.teachers.SEEN", 300)
    mine = replace(numbers, name="digits", folder="digits").limited(400)
    others = replace(mine, x_train=255 - mine.x_train)
    first = teacher_of(game, mine, tmp_path / "teacher")
    assert teacher_of(game, mine, tmp_path / "teacher").sha256 == first.sha256
    other = teacher_of(game, others, tmp_path / "teacher")
    assert other.record["data"]["fingerprint"] == others.fingerprint != mine.fingerprint
    assert teacher_of(game, others, tmp_path / "teacher").sha256 == other.sha256 != first.sha256


@pytest.mark.parametrize(("count", "batch"), [(3, 2), (58, 8), (1797, 44), (50_000, 128)])
def test_a_teacher_has_batches_that_suit_the_number_of_its_images(count, batch):
    chosen = recipe(SMALL, count)
    assert chosen["batch_size"] == batch
    assert chosen["validation"] + batch <= count


def test_images_of_one_class_have_no_teacher(numbers, tmp_path):
    one = replace(numbers, name="digits", folder="digits", class_names=("any",), y_train=numbers.y_train * 0)
    one = replace(one, y_test=numbers.y_test * 0)
    with pytest.raises(CganError, match="needs two classes or more; for images of one kind take dcgan"):
        train("modelo_6_mnist", tmp_path / "run", data=one, verbose=0)
    assert not (tmp_path / "run").exists()


def test_what_is_exported_opens_without_the_package(run, tmp_path):
    file = run.export(tmp_path / "generator.keras")
    code = (
        "import sys, keras; model = keras.saving.load_model(sys.argv[1], compile=False)\n"
        "print(model.output_shape, 'cgan_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "(None, 28, 28, 1) False", done.stderr


def test_each_ingredient_can_be_left_out():
    x, labels = tensors(np.repeat(images(1, SHAPE), 4, axis=0), np.arange(4, dtype="int32"))

    def logits(*without, training=False):
        _, discriminator = build(replace(SMALL, without=without), 4, SHAPE)
        return numpy(discriminator([x, labels], training=training))

    assert np.ptp(logits("projection"), axis=0).max() < 1e-5  # the same image, whatever the class
    assert np.ptp(logits("projection", "augmentation", training=True), axis=0).max() < 1e-4
    assert np.ptp(logits("projection", training=True), axis=0).max() > 1e-2
    taught, learning = (build(replace(SMALL, without=w), 4, SHAPE)[1] for w in ((), ("teacher",)))
    assert not taught.get_layer("block_1").trainable_variables and learning.get_layer("block_1").trainable_variables
    names = {layer.name for layer in build(replace(SMALL, without=INGREDIENTS), 4, SHAPE)[1].layers}
    assert not any("spread" in name or name == "augment" for name in names)
    generator, _ = build(replace(SMALL, without=("conditional normalisation",)), 4, SHAPE)
    assert not any("of_class" in layer.name for layer in generator.layers)
    _, free = build(replace(SMALL, without=("spectral norm",)), 4, SHAPE)
    before = numpy(free([x, labels]))
    free.get_layer("head_0_1").kernel.assign(3 * free.get_layer("head_0_1").kernel)
    assert np.abs(numpy(free([x, labels])) - before)[:, 0].max() > 1e-3
    _, held = build(SMALL, 4, SHAPE)
    before = numpy(held([x, labels]))
    held.get_layer("head_0_1").kernel.assign(3 * held.get_layer("head_0_1").kernel)
    np.testing.assert_allclose(numpy(held([x, labels])), before, atol=1e-4)
