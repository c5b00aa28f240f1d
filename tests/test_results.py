import hashlib
import json
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.files import AVERAGED, LAST
from cgan_utils.images import cells, from_png, grid, to_png
from cgan_utils.models.sampling import latent
from cgan_utils.results.card import card
from cgan_utils.results.run import Run, list_runs
from cgan_utils.results.tables import all_runs


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the trained run that a test may damage."""
    return shutil.copytree(run.path, tmp_path / run.name)


def edit(folder, change):
    file = folder / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    change(record)
    file.write_text(json.dumps(record), encoding="utf-8")


def test_round_trip_is_exact(run):
    first, second = Run(run.path), Run(run.path)
    images = first.generate(list("0123456789"), range(10))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, second.generate(list("0123456789"), range(10)))
    assert len(first.history) == 2
    assert first.losses.shape == (8, 2)
    assert np.isfinite(first.losses).all()
    assert sorted(first.evolution) == [0, 1, 2]


@pytest.mark.parametrize(("large", "levels"), [(10**9, 0.5), (0, 1)])
def test_fewer_bits_on_disk_move_no_pixel_visibly(digits, tiny, tmp_path, monkeypatch, large, levels):
    from cgan_utils.results import weights
    from cgan_utils.results.writing import write_run
    from cgan_utils.training.checkpoints import Progress
    from cgan_utils.training.record import record_of
    from cgan_utils.training.train import make_gan

    monkeypatch.setattr(weights, "LARGE", large)
    gan = make_gan(tiny, digits, "float32")
    record = record_of(tiny, digits, gan, Progress(), "float32")
    run = write_run(tmp_path / "a", record, {LAST: gan.generator, AVERAGED: gan.averaged}, [], [], {})
    labels = np.arange(10)
    before = keras.ops.convert_to_numpy(gan.generator([latent(labels), labels]))
    after = keras.ops.convert_to_numpy(run.generator()([latent(labels), labels]))
    assert 0 < np.abs(before - after).max() < levels * 2 / 255


def test_one_seed_is_one_image_whatever_is_drawn_beside_it(run):
    alone = run.generate("3", 5)[0]
    crowd = run.generate(["1", "3", "3"], [4, 5, 6])
    assert np.abs(alone.astype(int) - crowd[1]).max() <= 1
    assert np.abs(alone.astype(int) - crowd[2]).max() > 1
    many = run.generate("3", range(130))  # more than one chunk
    assert np.abs(many[5].astype(int) - alone).max() <= 1


def test_noise_of_a_seed_never_changes():
    np.testing.assert_allclose(latent([0])[0, :3], [1.7640524, 0.4001572, 0.978738], rtol=1e-6)


def test_the_averaged_generator_draws_something_else(run):
    assert (run.generate("3", 0, file=AVERAGED) != run.generate("3", 0, file=LAST)).any()


def test_classes_by_name_or_index_and_wrong_ones(run):
    np.testing.assert_array_equal(run.generate("7", 1), run.generate(7, 1))
    with pytest.raises(CganError, match="10"):
        run.generate(10, 1)


@pytest.mark.parametrize(("classes", "seeds"), [([1, 2], range(3)), ([], [1, 2]), ([1], range(0))])
def test_classes_and_seeds_of_unequal_number_are_refused(run, classes, seeds):
    with pytest.raises(CganError, match="give as many of both, or one of them for all"):
        run.generate(classes, seeds)


@pytest.mark.parametrize(
    "classes", [lambda: map(str, [7, 8]), lambda: {"7": 1, "8": 2}.keys(), lambda: (7, np.int64(8))]
)
def test_any_iterable_with_an_order_is_a_list(run, classes):
    np.testing.assert_array_equal(run.generate(classes(), (i for i in (1, 2))), run.generate([7, 8], [1, 2]))


def test_parts_are_what_is_drawn_at_once(run):
    parts = list(run.batches(np.arange(100) % 10, range(100)))
    assert [len(part) for part in parts] == [64, 36]
    np.testing.assert_array_equal(np.concatenate(parts), run.draw(np.arange(100) % 10, range(100)))


@pytest.mark.parametrize("seeds", [{1, 2}, True, np.arange(4).reshape(2, 2), [[1, 2]], 1.5, -1])
def test_what_is_no_list_of_seeds_is_one_sentence(run, seeds):
    with pytest.raises(CganError):
        run.draw([3], seeds)


@pytest.mark.parametrize("labels", [[10], [-1], [7.9], [True], {1}, [[1]], ["7"]])
def test_a_label_that_is_none_is_one_sentence(run, labels):
    with pytest.raises(CganError, match="class"):
        run.draw(labels, [0])


def test_of_two_runs_with_one_name_ones_own_is_called_by_another(run, monkeypatch, tmp_path):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    for folder in ("resultados", "runs"):
        shutil.copytree(run.path, tmp_path / folder / "twin")
    names = [Run(path).name for path in list_runs().values()]
    assert names == [*list_runs()] == ["twin", "runs/twin"]
    assert list(all_runs([Run(name) for name in names]).index) == names
    own = Run("runs/twin")
    own.keep_metrics({"protocol": {"generator_sha256": "?"}})
    assert "cgan generate runs/twin --class" in (own.path / "README.md").read_text(encoding="utf-8")


def test_export_opens_with_keras_alone_in_a_fresh_process(run, tmp_path):
    file = run.export(tmp_path / "generator.keras")
    np.savez(tmp_path / "in.npz", noise=latent(range(4)), labels=np.arange(4))
    code = (
        "import sys, keras, numpy as np\n"
        f"model = keras.saving.load_model({str(file)!r}, safe_mode=True)\n"
        f"given = np.load({str(tmp_path / 'in.npz')!r})\n"
        f"np.save({str(tmp_path / 'out.npy')!r}, model.predict_on_batch([given['noise'], given['labels']]))\n"
        "assert not any(name.startswith('cgan_utils') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True, timeout=300)
    drawn = np.rint((np.load(tmp_path / "out.npy") + 1) * 127.5).clip(0, 255).astype("uint8")
    assert np.abs(drawn.astype(int) - run.generate([0, 1, 2, 3], range(4))).max() <= 1


# What layers and initializers are described by in a file that Keras 3.8.0 opens: it wrote these itself when it had
# opened the files of all shipped runs, or, of the last line, read over them.
KNOWN_TO_3_8 = """
activation activity_regularizer axes axis batch_shape beta_constraint beta_initializer beta_regularizer
bias_constraint bias_initializer bias_regularizer center data_format dilation_rate dtype embeddings_constraint
embeddings_initializer embeddings_regularizer epsilon filters gamma_constraint gamma_initializer gamma_regularizer
groups input_dim input_layers interpolation kernel_constraint kernel_initializer kernel_regularizer kernel_size layers
mask_zero max_value maxval minval momentum moving_mean_initializer moving_variance_initializer name negative_slope
normalize output_dim output_layers padding scale seed size sparse strides synchronized target_shape threshold
trainable units use_bias value
optional output_padding ragged
"""
KINDS = ["modelo_1_mnist_v2", "modelo_5_cifar10_v1", "modelo_6_mnist", "cvae_fashion_mnist_v2"]


@pytest.mark.one_backend
@pytest.mark.parametrize("name", KINDS)
def test_an_exported_file_says_nothing_that_the_oldest_keras_refuses(name, tmp_path):
    file = Run(name).export(tmp_path / "generator.keras")
    with zipfile.ZipFile(file) as members:
        config = json.loads(members.read("config.json"))

    def said(part):
        if isinstance(part, dict):
            if not part.get("class_name", "__").startswith("__"):
                yield from part["config"]
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            yield from said(inner)

    words = set(said(config))
    assert words > {"layers", "units", "kernel_initializer"} and not words - {*KNOWN_TO_3_8.split()}
    assert not [other for other in tmp_path.iterdir() if other != file]


def test_export_to_another_ending_is_refused(run, tmp_path):
    with pytest.raises(CganError, match=r"\.keras"):
        run.export(tmp_path / "generator.h5")


def damaged_weights(folder):
    content = (folder / LAST).read_bytes()
    (folder / LAST).write_bytes(content[: len(content) // 2])


def altered_weights(folder):
    content = bytearray((folder / LAST).read_bytes())
    content[-1] ^= 1
    (folder / LAST).write_bytes(bytes(content))


def other_network(folder):
    edit(folder, lambda record: record["experiment"].update(architecture="modelo_1"))


def not_safetensors(folder):
    (folder / LAST).write_bytes(b"pickle me")
    digest = hashlib.sha256(b"pickle me").hexdigest()
    edit(folder, lambda record: record["weights"].update({LAST: digest}))


DAMAGE = {
    "truncated": (damaged_weights, "truncated or altered"),
    "altered": (altered_weights, "truncated or altered"),
    "missing": (lambda folder: (folder / LAST).unlink(), "is missing"),
    "no safetensors": (not_safetensors, "generator.safetensors can't be read"),
    "other version": (lambda folder: edit(folder, lambda r: r.update(format=99)), "format 99"),
    "unknown network": (
        lambda folder: edit(folder, lambda r: r["experiment"].update(architecture="modelo_x")),
        "modelo_x",
    ),
    "network that does not fit": (other_network, "does not fit"),
    "field gone": (lambda folder: edit(folder, lambda r: r.pop("data")), "lacks 'data'"),
    "experiment's field gone": (lambda folder: edit(folder, lambda r: r["experiment"].pop("dataset")), "dataset"),
    "experiment's field unknown": (lambda folder: edit(folder, lambda r: r["experiment"].update(zeal=1)), "zeal"),
    "no JSON": (lambda folder: (folder / "run.json").write_text("{"), "can't be read"),
    "JSON of something else": (lambda folder: (folder / "run.json").write_text("[]"), "does not describe a run"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_run_says_what_is_wrong_in_one_sentence(kind, copy):
    damage, words = DAMAGE[kind]
    damage(copy)
    with pytest.raises(CganError, match=words) as error:
        Run(copy).generate("3", 0)
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is None


def test_missing_history_and_losses(copy):
    (copy / "history.csv").unlink()
    (copy / "losses.npz").unlink()
    for name in ("history", "losses"):
        with pytest.raises(CganError, match="missing"):
            getattr(Run(copy), name)


def test_names_are_looked_up_and_the_nearest_offered(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    with pytest.raises(CganError, match="There is no run"):
        Run("tiny_digits")
    shutil.copytree(run.path, tmp_path / "resultados" / "tiny_digits")
    shutil.copytree(run.path, tmp_path / "runs" / "tiny_digits")
    assert list(list_runs()) == ["tiny_digits", "runs/tiny_digits"]
    assert Run("tiny_digits").path == tmp_path / "resultados" / "tiny_digits"
    assert Run("runs/tiny_digits").path == tmp_path / "runs" / "tiny_digits"
    with pytest.raises(CganError, match="did you mean tiny_digits"):
        Run("tiny_digit")
    with pytest.raises(CganError, match="cgan train modelo_1_mnist_v1"):
        Run("modelo_1_mnist_v1")
    with pytest.raises(CganError, match="not a run"):
        Run(tmp_path / "runs")


def test_the_card_says_what_run_json_says(run):
    text = (run.path / "README.md").read_text(encoding="utf-8")
    assert "2 of 2 planned epochs" in text
    assert f"{run.record['parameters']['generator']:,}" in text
    assert "stand-in" in text
    assert "evolution/epoch_0002.png" in text


def test_the_card_names_the_run_so_that_a_shell_finds_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))

    def command(folder, class_name="7"):
        shutil.copytree(run.path, folder)
        edit(folder, lambda record: record["data"]["class_names"].append(class_name))
        Run(folder)._rewrite({})
        lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
        return shlex.split(next(line for line in lines if "cgan generate" in line))

    assert command(tmp_path / "runs" / "mine") == ["cgan", "generate", "mine", "--class", "7", "--out", "image.png"]
    for folder, class_name in ((tmp_path / "elsewhere", "truck"), (tmp_path / "my runs" / "a b", "Ankle boot")):
        words = command(folder, class_name)
        assert words[2:5] == [str(folder), "--class", class_name] and Run(words[2]).path == folder
    assert command(tmp_path / "runs" / "a b")[2] == "a b"
    assert "'" not in (tmp_path / "runs" / "a b" / "README.md").read_text(encoding="utf-8")


def test_the_card_says_all_that_decides_a_training(run):
    def said(**changes):
        experiment = {**run.record["experiment"], **changes}
        return card(run.path, {**run.record, "experiment": experiment}, [], [])

    plain = said(optimizer="adam", seed=5, averaging=0.9)
    assert "| Seed | 5 |" in plain and "keeps 0.9 of itself" in plain and "β₁ 0.5" in plain
    assert not any(word in plain for word in ("Augmentation", "mirrored", "β₂", "group"))
    more = said(optimizer="adam", beta_2=0.99, group=8, mirror=True)
    assert "β₂ 0.99" in more and "in groups of 8 images" in more and "half of the training images mirrored" in more
    for name, mirrored in (("modelo_6", "half of them are mirrored"), ("modelo_6_digits", "none is mirrored")):
        assert f"contrast and place; {mirrored}" in said(architecture=name)
    assert "Averaging" not in said(game="vae")
    assert "cgan generate" in plain and "cgan generate" not in said(game="autoencoder")  # its codes follow no law


def test_a_card_says_when_its_evolution_is_of_another_network_than_the_one_that_draws(run):
    def says_so(draws_with, **experiment):
        record = {**run.record, "draws_with": draws_with, "experiment": {**run.record["experiment"], **experiment}}
        return "draws with the averaged one" in card(run.path, record, [], ["epoch_0001"])

    assert says_so(AVERAGED, draw_averaged=False)
    assert not says_so(AVERAGED, draw_averaged=True) and not says_so(LAST, draw_averaged=False)


def test_hubs_can_read_the_head_of_a_card(run):
    def head(**data):
        _, text, rest = card(run.path, {**run.record, "data": {**run.record["data"], **data}}, [], []).split("---\n", 2)
        return text.splitlines(), rest

    begin = [
        "library_name: keras",
        "pipeline_tag: unconditional-image-generation",
        "tags:",
        "- gan",
        "- class-conditional",
    ]
    assert head() == (begin, head()[1])  # a stand-in is no data set that others know
    assert head(stand_in=False)[0] == [*begin, "datasets:", "- mnist"]
    assert head(stand_in=False, folder="/my/pictures")[0] == begin
    assert "research only" in head(stand_in=False, name="celeba")[1] and "research only" not in head()[1]


@pytest.mark.parametrize("path", sorted((Path(__file__).parent.parent / "resultados").glob("*/run.json")))
def test_a_shipped_card_is_current(path, tmp_path, monkeypatch):
    folder = tmp_path / "resultados" / path.parent.name
    shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.npz"))
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    Run(folder)._rewrite({})
    assert (folder / "README.md").read_bytes() == (path.parent / "README.md").read_bytes()


def test_nothing_is_unpickled(copy):
    np.savez(copy / "losses.npz", losses=np.array([object()], dtype=object))
    with pytest.raises(CganError, match="allow_pickle"):
        _ = Run(copy).losses


def test_grids_and_png():
    images = np.stack([np.full((2, 3, 1), level, "uint8") for level in (10, 20, 30)])
    picture = grid(images, columns=2, gap=1, background=255)
    assert picture.shape == (5, 7, 1)
    assert picture[0, 0, 0] == 10
    assert picture[0, 4, 0] == 20
    assert picture[3, 0, 0] == 30
    assert picture[3, 4, 0] == 255
    np.testing.assert_array_equal(cells(grid(images, 3, gap=2), 2, 3, gap=2), images)
    np.testing.assert_array_equal(cells(grid(images, 1), 2, 3), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trip(channels, tmp_path):
    picture = np.random.RandomState(0).randint(0, 256, (5, 4, channels)).astype("uint8")
    (tmp_path / "a.png").write_bytes(to_png(picture))
    np.testing.assert_array_equal(from_png(tmp_path / "a.png"), picture)
