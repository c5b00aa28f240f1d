"""A training on one's own folder of pictures, from the first step to its measures."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sentences import is_one_sentence

from cgan_utils.__main__ import main
from cgan_utils.data.arrays import from_arrays
from cgan_utils.data.datasets import load
from cgan_utils.data.known import FINGERPRINTS
from cgan_utils.errors import CganError
from cgan_utils.models.architectures import architecture
from cgan_utils.models.experiments import Experiment, suitable, unmirrored
from cgan_utils.results.evaluation import Reference, evaluate, reference_of
from cgan_utils.results.evaluator import find_evaluator
from cgan_utils.training.checkpoints import Progress, save
from cgan_utils.training.train import train


def learn(out, **options):
    settings = Experiment("tiny_own", "mnist", "tiny", epochs=1, batch_size=8)
    return train(settings, out, verbose=0, **options)


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CGAN_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)


def fill(folder, count=20, names=("cats", "dogs")):
    for k, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = np.random.default_rng(i).integers(0, 80, (30, 30, 3)).astype("uint8")
            pixels[..., k] += 150
            Image.fromarray(pixels).save(folder / name / f"{i:03d}.png")
    return folder


def test_a_training_goes_on_with_the_pictures_that_it_began_with(tmp_path):
    folder = fill(tmp_path / "pets")
    learn(tmp_path / "first", data=folder)
    Image.new("RGB", (30, 30), "red").save(folder / "cats" / "new.png")
    assert len(load(folder, size=28).x_train) == 37  # and the training had 36
    again = learn(tmp_path / "first", data=folder, resume=True, epochs=2)
    assert again.record["training"]["epochs"] == 2
    assert again.record["data"]["images"] == 36
    assert len(learn(tmp_path / "second", data=folder).history) == 1


def test_what_was_chosen_for_the_pictures_is_chosen_again_when_there_are_more(tmp_path, monkeypatch, capsys):
    folder = fill(tmp_path / "pets", 20)
    begun = suitable(2, 3, len(load(folder).x_train))
    chosen = []
    monkeypatch.setattr("cgan_utils.training.train.train", lambda settings, *_, **__: chosen.append(settings))
    game = SimpleNamespace(optimizers=[], metrics=[], variables=[], batch_losses=None)
    save(tmp_path / "mine.checkpoint", game, Progress(), begun.settings())
    fill(folder, 300)
    assert suitable(2, 3, len(load(folder).x_train)).batch_size != begun.batch_size
    assert main(["train", "--data", str(folder), "--out", "mine", "--resume"]) == 0
    assert chosen == [begun]
    assert f"{begun.epochs:,} epochs in batches of {begun.batch_size}" in capsys.readouterr().out


def test_faces_go_on_as_they_began_when_the_catalogue_has_changed(tmp_path, monkeypatch):
    folder = tmp_path / "faces"
    folder.mkdir()
    for i in range(20):
        Image.new("RGB", (64, 64), (10 * i, 0, 0)).save(folder / f"{i}.png")
    begun = replace(suitable(1, 3, len(load(folder).x_train)), draw_averaged=False)
    chosen = []
    monkeypatch.setattr("cgan_utils.training.train.train", lambda settings, *_, **__: chosen.append(settings))
    game = SimpleNamespace(optimizers=[], metrics=[], variables=[], batch_losses=None)
    save(tmp_path / "mine.checkpoint", game, Progress(), begun.settings())
    assert main(["train", "--data", str(folder), "--out", "mine", "--resume"]) == 0
    assert chosen == [begun]


def test_a_version_that_is_read_stays_while_another_is_made(tmp_path):
    folder = fill(tmp_path / "pets")
    before = load(folder, size=28)
    for i in range(5):
        Image.new("RGB", (30, 30), "red").save(folder / "cats" / f"new{i}.png")
        load(folder, size=28)
    assert len(np.asarray(before.x_train)) == 36


def test_a_run_knows_its_folder_and_is_measured_from_anywhere(tmp_path, monkeypatch):
    run = learn(tmp_path / "home" / "runs" / "pets", data=str(fill(tmp_path / "pets")))
    assert run.record["data"]["folder"] == str(tmp_path / "pets")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["evaluate", "pets", "--per-class", "4"]) == 0
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics["protocol"]["evaluator"] is None
    assert metrics["real"]["diversity"] > 0


def test_a_class_without_test_images_is_compared_with_its_training_images(tmp_path):
    folder = fill(tmp_path / "pets", 12)
    fill(folder, 5, ("birds",))
    run = learn(tmp_path / "run", data=folder)
    assert np.isfinite(evaluate(run, per_class=4, repeats=1)["real"]["diversity"])


def test_pictures_that_were_moved_are_named_anew(tmp_path, capsys):
    run = learn(tmp_path / "home" / "runs" / "pets", data=fill(tmp_path / "pets"))
    (tmp_path / "pets").rename(tmp_path / "moved")
    assert main(["evaluate", "pets", "--per-class", "4"]) == 2
    assert "are not in" in (said := capsys.readouterr().err) and "say where they are with --data" in said
    assert main(["evaluate", "pets", "--per-class", "4", "--data", str(tmp_path / "moved")]) == 0
    fill(tmp_path / "fish", names=("eel", "cod"))
    with pytest.raises(CganError, match="of cod, eel, and pets learned from 28×28×3 images of cats, dogs"):
        reference_of(run, tmp_path / "fish")


def test_a_run_is_measured_on_the_pictures_that_it_learned_from_and_on_no_others(tmp_path):
    folder = fill(tmp_path / "pets")
    run = learn(tmp_path / "run", data=folder)
    began = reference_of(run).data
    Image.new("RGB", (30, 30), "red").save(folder / "cats" / "000 new.png")  # so that each tenth one is another
    assert load(folder, size=28).fingerprint != run.record["data"]["fingerprint"] == began.fingerprint
    again = reference_of(run).data
    assert again.fingerprint == began.fingerprint and len(again.x_train) == 36
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(CganError, match="holds other images than the 36 for training and 4 for testing") as error:
        reference_of(run)
    assert is_one_sentence(error)
    (folder / "cats" / "000 new.png").unlink()
    assert reference_of(run).data.fingerprint == began.fingerprint


def test_a_run_of_the_first_images_is_measured_on_these(tmp_path):
    run = learn(tmp_path / "run", data=fill(tmp_path / "pets"), limit_images=10)
    data = reference_of(run).data
    assert (len(data.x_train), len(data.x_test)) == (10, 4)
    assert evaluate(run, per_class=4, repeats=1)["protocol"]["data_fingerprint"] == run.record["data"]["fingerprint"]


def test_another_file_of_the_same_name_is_not_taken_for_the_data_set(numbers, tmp_path, monkeypatch):
    def write(count):
        arrays = ("x_train", "y_train", "x_test", "y_test")
        np.savez(tmp_path / "mnist.npz", **{key: getattr(numbers, key)[:count] for key in arrays})

    write(64)
    monkeypatch.setenv("CGAN_DATA_DIR", str(tmp_path))
    run = learn(tmp_path / "run")
    assert len(reference_of(run).data.x_train) == 64
    write(65)
    assert len(reference_of(run).data.x_train) == 64  # the same images, and one more behind them
    write(60)
    with pytest.raises(CganError, match="mnist.npz holds other images than the 64 for training") as error:
        reference_of(run)
    assert is_one_sentence(error)


def test_a_run_on_arrays_says_how_it_is_measured(digits, tmp_path):
    data = from_arrays(digits.x_train, digits.y_train)
    run = learn(tmp_path / "run", data=data)
    with pytest.raises(CganError, match="run.keep_metrics.evaluate.run, Reference.data") as error:
        reference_of(run, "pets")
    assert is_one_sentence(error)
    run.keep_metrics(evaluate(run, Reference(data), per_class=2, repeats=1))  # what it says
    assert run.metrics["protocol"]["test_images"] == len(data.x_test)


def test_with_a_single_test_image_a_run_is_measured(tmp_path):
    run = learn(tmp_path / "run", data=fill(tmp_path / "pets", 5))
    assert run.record["data"]["test_images"] == 1
    drawn = evaluate(run, per_class=2, repeats=1)["drawn"]
    assert drawn["nearest_pixels_ratio"]["mean"] > 0 and "diversity" in drawn


def test_all_goes_on_and_says_what_it_left_out(tmp_path, capsys):
    runs = tmp_path / "home" / "runs"
    learn(runs / "a", data=fill(tmp_path / "pets"))
    learn(runs / "b", data=fill(tmp_path / "others"))
    shutil.rmtree(tmp_path / "pets")
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{}")
    shutil.copytree(runs / "b", runs / ".b.old")
    assert main(["evaluate", "--all", "--per-class", "4"]) == 2
    out = capsys.readouterr()
    assert "broken was left out: " in out.err and ".b.old" not in out.out + out.err
    assert "a was left out: The pictures that a learned from are not in" in out.err
    assert (runs / "b" / "metrics.json").is_file()
    assert main(["evaluate", "--all", "--data", "x"]) == 2


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_folder_called_like_a_data_set_is_not_taken_for_it(name, tmp_path, capsys):
    fill(tmp_path / "data" / name)
    run = learn(tmp_path / "run", data=f"data/{name}")
    assert run.title == f"run ({name} (own pictures), 1 epoch)"
    assert find_evaluator(run.record["data"]) is None
    assert evaluate(run, per_class=4, repeats=1)["class_names"] == ["cats", "dogs"]
    with pytest.raises(CganError, match="no evaluator"):
        learn(tmp_path / "scored", data=f"data/{name}", score=4)


def test_without_a_class_of_two_pictures_there_is_nothing_to_test_on(tmp_path):
    with pytest.raises(CganError, match="No class of .*pets has two pictures"):
        load(fill(tmp_path / "pets", 1), size=28)


def test_a_moved_folder_called_like_a_data_set_is_not_taken_for_it_either(tmp_path):
    run = learn(tmp_path / "run", data=fill(tmp_path / "pets"))
    (tmp_path / "pets").rename(tmp_path / "mnist")
    assert reference_of(run, "mnist").data.class_names == ("cats", "dogs")


def test_a_colour_that_is_none_is_one_sentence(tmp_path, capsys):
    fill(tmp_path / "pets")
    assert main(["data", str(tmp_path / "pets"), "--background", "whitish"]) == 2
    assert "'whitish' is no colour; give one such as white" in capsys.readouterr().err


def test_a_training_says_first_what_it_learns_from(tmp_path, capsys):
    fill(tmp_path / "pets", 12)
    arguments = ["--data", str(tmp_path / "pets"), "--epochs", "1", "--out", str(tmp_path / "run")]
    assert main(["train", "modelo_1_mnist_v2", *arguments]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("pets: 22 training and 2 test images of 28×28×3, 2 classes: cats, dogs\n")
    assert said.err.startswith("Too few to learn a class from, fewer than 20: cats (11), dogs (11).\n")


@pytest.mark.parametrize(
    ("classes", "channels", "count", "name", "batch"),
    [
        (10, 3, 50_000, "modelo_6_cifar10_v1", 64),
        (2, 3, 170, "modelo_6_cifar10_v1", 4),
        (5, 1, 900, "modelo_6_mnist", 16),
        (1, 3, 5_000, "dcgan_celeba", 64),
        (2, 3, 100, "modelo_6_cifar10_v1", 4),
    ],
)
def test_the_pictures_decide_what_learns_them(classes, channels, count, name, batch):
    settings = suitable(classes, channels, count)
    assert (settings.name, settings.batch_size) == (name, batch)
    assert 300_000 <= settings.epochs * count < 300_000 + count


def test_a_handful_of_pictures_is_not_seen_for_ever():
    assert suitable(1, 3, 12).epochs == suitable(2, 3, 18).epochs == suitable(2, 3, 100).epochs


def test_without_an_experiment_one_is_chosen_and_named(tmp_path, capsys, monkeypatch):
    chosen = []
    monkeypatch.setattr("cgan_utils.training.train.train", lambda settings, *_, **__: chosen.append(settings))
    folder = fill(tmp_path / "pets")
    next(folder.rglob("*.png")).write_bytes(b"no picture")
    assert main(["train", "--data", str(folder)]) == 0
    assert chosen[0].name == "modelo_6_cifar10_v1"
    said = capsys.readouterr()
    assert "Chosen for these pictures: modelo_6_cifar10_v1 at 32×32 pixels" in said.out
    assert said.err.count("could not be read") == 1  # the folder is not read twice
    assert main(["train"]) == 2
    assert "--data FOLDER" in capsys.readouterr().err
    assert main(["train", "--data", "cifar10"]) == 2
    assert "name one of: modelo_5_cifar10_v1" in capsys.readouterr().err


@pytest.mark.parametrize(("classes", "channels"), [(1, 3), (2, 1), (2, 3)])
def test_pictures_with_writing_are_not_mirrored(classes, channels, tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr("cgan_utils.training.train.train", lambda settings, *_, **__: chosen.append(settings))
    folder = fill(tmp_path / "letters", names="ab"[:classes])
    folder = folder / "a" if classes == 1 else folder
    for file in folder.rglob("*.png") if channels == 1 else ():
        Image.open(file).convert("L").save(file)
    command = ["train", "--data", str(folder), "--out", "mine"]
    assert main([*command, "--no-mirror"]) == 0
    plain = suitable(classes, channels, len(load(folder).x_train))
    assert chosen == [unmirrored(plain)]
    assert not chosen[0].mirror and not getattr(architecture(chosen[0].architecture), "mirror", False)
    # It goes on as it began, without being told again.
    game = SimpleNamespace(optimizers=[], metrics=[], variables=[], batch_losses=None)
    save(tmp_path / "mine.checkpoint", game, Progress(), chosen[0].settings())
    assert main([*command, "--resume"]) == 0
    assert chosen[1] == chosen[0]


def test_a_run_is_measured_on_the_ground_that_it_learned_on(tmp_path):
    for i in range(20):
        for name in ("cats", "dogs"):
            (tmp_path / "clear" / name).mkdir(parents=True, exist_ok=True)
            Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(tmp_path / "clear" / name / f"{i}.png")
    run = learn(tmp_path / "run", data=tmp_path / "clear", background="red")
    assert run.record["data"]["background"] == "red"
    assert (reference_of(run).data.x_test[0] == [255, 0, 0]).all()


def test_a_file_of_arrays_is_trained_on_gone_on_with_and_measured(numbers, tmp_path):
    np.savez(tmp_path / "mine.npz", x_train=numbers.x_train[:60], y_train=numbers.y_train[:60, None])
    learn(tmp_path / "run", data="mine.npz")
    run = learn(tmp_path / "run", data="mine.npz", resume=True, epochs=2)
    assert run.record["data"]["folder"] == str(tmp_path / "mine.npz") and len(run.history) == 2
    metrics = evaluate(run, per_class=2, repeats=1)
    assert metrics["protocol"]["data_fingerprint"] == run.record["data"]["fingerprint"]
    assert metrics["protocol"]["evaluator"] is None


@pytest.mark.parametrize("way", ["from-name", "my.csv"])
def test_a_run_whose_classes_a_table_or_the_names_gave_is_measured_on_the_same(way, tmp_path):
    folder = fill(tmp_path / "classes")
    (tmp_path / "pets").mkdir()
    rows = ["file_name,label"]
    for file in sorted(folder.glob("*/*.png")):
        name = f"{file.parent.name}.{file.name}"
        file.rename(tmp_path / "pets" / name)
        rows.append(f"{name},{file.parent.name}")
    (tmp_path / "my.csv").write_text("\n".join(rows))
    run = learn(tmp_path / "run", data=load(tmp_path / "pets", size=28, labels=way))
    assert run.record["data"]["labels"] == (way if way == "from-name" else str(tmp_path / way))
    assert evaluate(run, per_class=4, repeats=1)["class_names"] == ["cats", "dogs"]


def test_an_older_run_on_other_images_of_a_data_set_s_name_has_no_evaluator(monkeypatch):
    monkeypatch.delenv("CGAN_HOME")
    entry = {"name": "mnist", "stand_in": False, "folder": None, "class_names": list("0123456789")}
    original = entry | {"fingerprint": FINGERPRINTS["mnist"], "images": 60_000}
    assert find_evaluator(original)
    assert find_evaluator(original | {"fingerprint": "of the first images", "images": 64})
    assert not find_evaluator(original | {"fingerprint": "other"})
    assert not find_evaluator(original | {"class_names": ["cat", "dog"], "images": 64})
