"""The classifier of stacked autoencoders: its stages, its folder and what is drawn of it."""

from dataclasses import replace

import numpy as np
import pytest
from tensors import array, same, weights

from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.errors import CganError
from cgan_utils.lessons.autoencoders import classify
from cgan_utils.models.classifier import Classifier, LayerAutoencoder, Recipe, blocks_of, build
from cgan_utils.models.layers import to_signed
from cgan_utils.results.classifier import Stacked, probabilities, save
from cgan_utils.results.weights import compact
from cgan_utils.training import classifiers
from cgan_utils.training.classifiers import FINE_TUNING, fine_tune, moved, pretrain, split

ops = keras.ops


@pytest.fixture
def recipe():
    return Recipe(blocks=((4,), (4, 8)), layer_epochs=2, epochs=3, batch_size=16, validation=32, flip=True)


@pytest.fixture(scope="module")
def trained(garments):
    recipe = Recipe(blocks=((4,), (4, 8)), epochs=2, batch_size=16, validation=32, flip=True)
    return fine_tune(recipe, garments, pretrain(recipe, garments, dtype="float32"))


class TestStacked:
    def test_shapes_and_parameters_by_hand(self, recipe):
        network = build(recipe, (28, 28, 1), 10)
        assert network.output.shape == (None, 10)
        shapes = [block.output.shape[1:] for block in blocks_of(network)]
        assert shapes == [(14, 14, 4), (7, 7, 8)]
        first = 9 * 4 + 4 * 4
        second = 9 * 4 * 4 + 4 * 4 + 9 * 4 * 8 + 4 * 8
        assert network.count_params() == first + second + (7 * 7 * 8 + 1) * 10

    @pytest.mark.parametrize("side", [28, 7, 32])
    def test_a_decoder_draws_images_of_the_size_of_its_blocks_input(self, side):
        block = blocks_of(build(Recipe(blocks=((4,),)), (side, side, 3), 10))[0]
        game = LayerAutoencoder([], block, 0.5)
        drawn = game.decoder(np.zeros((1, *block.output.shape[1:]), "float32"))
        assert drawn.shape == (1, side, side, 3)

    def test_layer_wise_training_changes_only_its_layer(self, recipe, garments):
        network = build(recipe, garments.shape, garments.classes, "float32")
        first, second = blocks_of(network)
        head = weights(network.get_layer("head"))
        before = weights(first), weights(second)
        for game, changes in ((LayerAutoencoder([first], second, 0.5), (False, True)),) * 2:
            game.compile(keras.optimizers.Adam(1e-3))
            game.fit(garments.x_train, garments.y_train, batch_size=16, verbose=0)
            after = weights(first), weights(second)
            assert [not same(*pair) for pair in zip(before, after, strict=True)] == list(changes)
        assert same(head, weights(network.get_layer("head")))

    @pytest.mark.parametrize("stage", ["block_1", "block_2", "all"])
    def test_every_weight_gets_a_gradient(self, stage, recipe, garments):
        keras.utils.set_random_seed(0)
        network = build(recipe, garments.shape, garments.classes, "float32")
        blocks, images, labels = blocks_of(network), garments.x_train[:32], ops.convert_to_tensor(garments.y_train[:32])
        if stage == "all":
            game, own = Classifier(network), network.trainable_variables
            play = lambda: game.judge((images, labels), training=True)  # noqa: E731
        else:
            number = int(stage[-1])
            game = LayerAutoencoder(blocks[: number - 1], blocks[number - 1], 0.5)
            own = game.block.trainable_variables + game.decoder.trainable_variables
            play = lambda: ([game.error(images, training=True)], None)  # noqa: E731
        for variable, slope in zip(own, value_and_gradients(play, [own])[2][0], strict=True):
            assert np.abs(array(slope)).max() > 0, variable.path

    def test_a_part_of_the_places_is_hidden_from_the_block_in_training_only(self, garments):
        game = LayerAutoencoder([], blocks_of(build(Recipe(blocks=((4,),)), garments.shape, 10, "float32"))[0], 0.75)
        whole, seen, drawn = map(array, game.draw(garments.x_train, hide=True))
        np.testing.assert_array_equal(whole, array(to_signed(garments.x_train)))
        assert (seen == 0).mean() == pytest.approx(0.75, abs=0.01)
        np.testing.assert_array_equal(seen[seen != 0], whole[seen != 0])
        assert drawn.shape == whole.shape
        np.testing.assert_array_equal(array(game.draw(garments.x_train, hide=False)[1]), whole)

    def test_the_loss_is_over_hidden_places_too(self, garments):
        game = LayerAutoencoder([], blocks_of(build(Recipe(blocks=((4,),)), garments.shape, 10, "float32"))[0], 0.75)
        whole, _, drawn = map(array, game.draw(garments.x_train, hide=False))
        assert float(array(game.error(garments.x_train))) == pytest.approx(np.mean((drawn - whole) ** 2), rel=1e-5)

    def test_the_parts_share_no_image_that_they_must_not(self, garments, recipe):
        unlabelled, labelled, validation = split(garments, recipe)
        assert sorted([*labelled, *validation]) == list(range(len(garments.x_train)))
        assert not set(unlabelled) & set(validation)
        unlabelled, few, held_out = split(garments, replace(recipe, labels=64))
        assert (len(unlabelled), len(few), len(held_out)) == (64, 32, 32)
        assert not {*unlabelled, *few} & set(held_out)

    def test_moving_an_image_by_hand(self, garments):
        images = garments.x_train[:50]
        out = moved(images, np.random.default_rng(0), 1, flip=True)
        framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        for image, frame in zip(out, framed, strict=True):
            places = [frame[y : y + 28, x : x + 28] for y in range(3) for x in range(3)]
            assert any(np.array_equal(image, view) for place in places for view in (place, place[:, ::-1]))
        np.testing.assert_array_equal(moved(images, np.random.default_rng(0), 0, flip=False), images)

    def test_a_hole_is_a_black_square_around_a_pixel_of_the_image(self):
        white = np.full((200, 28, 28, 1), 255, "uint8")
        for image in moved(white, np.random.default_rng(0), 0, flip=False, hole=4):
            sides = [np.flatnonzero((image == 0).any(axis=axis)) for axis in ((1, 2), (0, 2))]
            assert all(2 <= len(side) <= 4 and np.ptp(side) == len(side) - 1 for side in sides)
            assert (image == 0).sum() == len(sides[0]) * len(sides[1])

    def test_smoothing_spreads_a_share_of_the_target_over_all_classes_in_training_only(self, recipe, garments):
        network = build(replace(recipe, dropout=0.0), garments.shape, garments.classes, "float32")
        data = garments.x_train[:16], ops.convert_to_tensor(garments.y_train[:16])
        [loss], logits = Classifier(network, smoothing=0.2).judge(data, training=True)
        target = 0.8 * np.eye(10)[garments.y_train[:16]] + 0.2 / 10
        by_hand = -(target * array(ops.log_softmax(logits))).sum(axis=1).mean()
        assert float(array(loss)) == pytest.approx(by_hand, rel=1e-5)
        game, plain = Classifier(network, smoothing=0.2), Classifier(network)
        assert float(array(game.judge(data)[0][0])) == float(array(plain.judge(data)[0][0]))

    @pytest.mark.one_backend
    def test_interrupted_and_resumed_equals_never_interrupted(self, recipe, garments, tmp_path):
        recipe = replace(recipe, layer_epochs=1, epochs=2)  # 16 steps in all

        def whole(folder):
            return fine_tune(recipe, garments, pretrain(recipe, garments, folder, "float32"), folder)

        expected = whole(tmp_path / "whole")

        class Stop(keras.callbacks.Callback):
            steps = 0

            def on_train_batch_end(self, batch, logs=None):
                Stop.steps += 1
                if Stop.steps in (6, 11):  # in the second block, and in fine-tuning
                    raise KeyboardInterrupt

        folder, calls = tmp_path / "parts", 0
        while True:
            calls += 1
            try:
                start = pretrain(recipe, garments, folder, "float32", extra_callbacks=[Stop()])
                actual = fine_tune(recipe, garments, start, folder, extra_callbacks=[Stop()])
                break
            except KeyboardInterrupt:
                continue
        assert calls == 3
        assert same(weights(expected.network), weights(actual.network))
        assert expected.history.drop(columns="seconds").equals(actual.history.drop(columns="seconds"))

    @pytest.mark.one_backend
    def test_early_stopping_keeps_the_best_epoch(self, recipe, garments):
        hasty = replace(recipe, epochs=30, patience=2, learning_rate=0.02)
        trained = fine_tune(hasty, garments, pretrain(replace(hasty, layer_epochs=0), garments, dtype="float32"))
        losses = trained.history["val_cross_entropy"].to_numpy()
        assert len(losses) - 1 - losses.argmin() == 2
        _, _, held_out = split(garments, hasty)
        chances = probabilities(trained.network, garments.x_train[held_out])
        own = chances[np.arange(len(held_out)), garments.y_train[held_out]]
        assert -np.log(own).mean() == pytest.approx(losses.min(), rel=1e-3)

    def test_the_start_of_fine_tuning_is_left_alone(self, recipe, garments):
        start = pretrain(replace(recipe, layer_epochs=0), garments, dtype="float32")
        before = weights(start.network)
        fine_tune(replace(recipe, epochs=1), garments, start)
        assert same(before, weights(start.network))

    def test_probabilities_are_some_and_know_no_left_and_right_if_asked(self, recipe, garments):
        network = build(recipe, garments.shape, garments.classes, "float32")
        chances = probabilities(network, garments.x_test, flip=True)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(chances, probabilities(network, garments.x_test[:, :, ::-1], flip=True), atol=1e-5)

    @pytest.mark.parametrize(
        "bad",
        [
            {"dropout": 1.5},
            {"blocks": ()},
            {"patience": 0},
            {"labels": 100, "validation": 100},
            {"shift": -1},
            {"smoothing": 1},
        ],
    )
    def test_nonsense_is_refused_in_a_sentence(self, bad):
        with pytest.raises(CganError):
            Recipe(**bad)

    def test_too_few_images_are_refused(self, garments):
        with pytest.raises(CganError, match="too few"):
            pretrain(Recipe(), garments)

    def test_biases_and_normalisations_do_not_decay_and_the_first_step_teaches(self, recipe):
        game = Classifier(build(recipe, (28, 28, 1), 10), 0.0)
        optimizer = classifiers._Stage("x", game, recipe, 3, "", None)._optimizer(10)
        optimizer.build(game.trainable_variables)
        decays = [bool(optimizer._use_weight_decay(variable)) for variable in game.trainable_variables]
        assert decays == [len(variable.shape) > 1 for variable in game.trainable_variables]
        assert {*decays} == {True, False}
        rates = [float(ops.convert_to_numpy(optimizer._learning_rate(step))) for step in (0, 5, 30)]
        np.testing.assert_allclose(rates, np.array([1 / 6, 1, 0]) * recipe.learning_rate, atol=1e-9)

    def test_a_checkpoint_of_another_recipe_is_refused(self, recipe, garments, tmp_path):
        pretrain(recipe, garments, tmp_path, "float32")
        with pytest.raises(CganError, match="other settings"):
            pretrain(replace(recipe, hidden=0.1), garments, tmp_path, "float32")

    @pytest.mark.one_backend
    def test_both_kinds_of_stage_are_named(self, recipe, garments):
        trained = fine_tune(recipe, garments, pretrain(recipe, garments))
        assert list(dict.fromkeys(trained.history["stage"])) == ["block_1", "block_2", FINE_TUNING]


class TestShipped:
    @pytest.fixture
    def folder(self, trained, garments, tmp_path):
        return save(tmp_path / "stacked_tiny", {"stacked": trained, "again": trained}, garments).path

    def test_what_is_read_is_what_was_written(self, folder, trained, garments):
        read = Stacked(folder)
        assert same([compact(weight).astype("float32") for weight in weights(trained.network)], weights(read.network))
        assert read.recipes == {"stacked": trained.recipe, "again": trained.recipe}
        kept = read.histories["stacked"]
        assert kept.reindex(columns=trained.history.columns).astype(trained.history.dtypes).equals(trained.history)
        expected = probabilities(read.network, garments.x_test, flip=True)
        np.testing.assert_array_equal(read.probabilities(garments.x_test), expected)
        before = probabilities(trained.network, garments.x_test, flip=True)
        np.testing.assert_allclose(before, expected, atol=0.01)  # kernels are stored in half precision
        right = (expected.argmax(axis=1) == garments.y_test).mean()
        assert read.scores.loc["stacked", "accuracy"] == pytest.approx(right, abs=1e-6)

    def test_only_whole_folders_are_left(self, folder, trained, garments):
        save(folder, {"stacked": trained}, garments)
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
        assert list(Stacked(folder).histories) == ["stacked"]

    def test_damage_is_reported_in_a_sentence(self, folder):
        file = folder / "classifier.safetensors"
        file.write_bytes(file.read_bytes()[:-1] + b"x")
        with pytest.raises(CganError, match="altered"):
            Stacked(folder)
        file.unlink()
        with pytest.raises(CganError, match="can be read"):
            Stacked(folder)
        with pytest.raises(CganError, match="no stacked classifier"):
            Stacked("stacked_nothing")

    def test_the_dropdown_chooses_the_image_that_is_judged(self, trained, garments, tmp_path):
        read = save(tmp_path / "stacked_tiny", {"stacked": trained}, garments)
        view = classify({"tiny": (read, garments)})
        before = bytes(view.image.value)
        view.choice.value = ("tiny", 3)
        assert bytes(view.image.value)[:4] == b"\x89PNG"
        assert bytes(view.image.value) != before
