import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cgan_utils.__main__ import main
from cgan_utils.backend import keras
from cgan_utils.images import from_png
from cgan_utils.models import experiments
from cgan_utils.models.networks import build_generator
from cgan_utils.results.run import Run

LIGHT = (
    "import sys, {module}\n"
    "heavy = {{'keras', 'tensorflow', 'torch', 'matplotlib', 'sklearn'}} & set(sys.modules)\n"
    "assert not heavy, heavy\n"
)


@pytest.fixture
def home(run, tmp_path, monkeypatch):
    """A project folder with one shipped run, and the current one."""
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.path, tmp_path / "resultados" / "tiny_digits")
    return tmp_path


def says(capsys, *arguments):
    """(exit code, standard output, standard error) of the command."""
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("module", ["cgan_utils", "cgan_utils.__main__", "cgan_utils.models.experiments"])
def test_importing_is_light(module):
    subprocess.run([sys.executable, "-c", LIGHT.format(module=module)], check=True, timeout=60)


def test_help_loads_no_network_library():
    code = LIGHT.format(module="cgan_utils.__main__ as command")
    code = code.replace("\n", "\ntry:\n    command.main(['--help'])\nexcept SystemExit:\n    pass\n", 1)
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    for command in ("list", "data", "train", "generate", "evaluate", "export", "demo"):
        assert f"\n    {command} " in answer.stdout


def test_list(home, capsys, monkeypatch):
    monkeypatch.setitem(
        experiments.EXPERIMENTS, "tiny_digits", experiments.Experiment("tiny_digits", "mnist", "tiny", epochs=2)
    )
    code, out, _ = says(capsys, "list", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["tiny_digits"]["trained_epochs"] == 2
    assert rows["tiny_digits"]["bytes"] > 1000
    assert rows["modelo_5_cifar100_v1"]["trained_epochs"] is None
    assert rows["modelo_5_cifar100_v1"]["generator"] is None  # counted where there is a run
    assert rows["tiny_digits"]["generator"] == build_generator("tiny", 10, (28, 28, 1)).count_params()
    code, out, _ = says(capsys, "list")
    assert code == 0
    assert "modelo_5_cifar100_v1" in out


def test_generate_a_picture(home, capsys):
    code, out, _ = says(
        capsys, "generate", "tiny_digits", "--class", 7, "--count", 8, "--seed", 3, "--out", home / "a.png"
    )
    assert code == 0
    assert out.strip() == str(home / "a.png")
    assert from_png(home / "a.png").shape == (28 * 4, (29 * 8 - 1) * 4, 1)


def test_a_run_without_classes_needs_no_class(home, unconditional_run, capsys):
    file = home / "a.png"
    assert says(capsys, "generate", unconditional_run.path, "--count", 4, "--out", file)[0] == 0
    assert from_png(file).shape == (28 * 4, (29 * 4 - 1) * 4, 1)
    assert says(capsys, "generate", unconditional_run.path, "--per-class", 3, "--out", home / "a.npz")[0] == 0
    with np.load(home / "a.npz") as arrays:
        assert arrays["images"].shape == (3, 28, 28, 1)


def test_generate_arrays_for_other_tools(home, capsys):
    assert says(capsys, "generate", "tiny_digits", "--per-class", 3, "--out", home / "new" / "a.npz")[0] == 0
    with np.load(home / "new" / "a.npz") as file:
        assert file["images"].shape == (30, 28, 28, 1)
        assert file["images"].dtype == np.uint8
        assert file["labels"].tolist() == sorted(list(range(10)) * 3)


def test_generate_a_folder_of_pictures_for_other_tools(home, run, capsys):
    command = ["generate", "tiny_digits", "--per-class", 2, "--seed", 5, "--out", home / "new" / "pictures"]
    assert says(capsys, *command)[0] == 0
    files = sorted((home / "new" / "pictures").glob("*/*.png"))
    assert [str(file.relative_to(home / "new" / "pictures")) for file in files[:3]] == [
        "0/000005.png",
        "0/000006.png",
        "1/000007.png",
    ]
    assert len(files) == 20
    np.testing.assert_array_equal(from_png(files[-1]), run.generate("9", 24)[0])
    code, _, err = says(capsys, *command)
    assert code == 2 and "holds something already" in err


def test_a_stopped_folder_is_gone_on_with(home, run, capsys, monkeypatch):
    folder, draw, calls = home / "dir0.5", Run.batches, []

    def stopped(self, labels, seeds, file=None):
        calls.append(len(labels))
        if len(calls) == 4:  # the first asks whether the last seed exists
            raise KeyboardInterrupt
        return draw(self, labels, seeds, file)

    monkeypatch.setattr(Run, "batches", stopped)
    command = ["generate", "tiny_digits", "--per-class", 20, "--out", folder]
    code, _, err = says(capsys, *command)
    assert code == 130 and "128 of 200" in err
    assert len(list(folder.glob("*/*.png"))) == 128
    monkeypatch.undo()
    monkeypatch.setenv("CGAN_HOME", str(home))
    code, _, err = says(capsys, *command, "--seed", 3)
    assert code == 2 and "begun" in err
    assert says(capsys, *command)[0] == 0
    files = sorted(folder.rglob("*"), key=lambda file: file.name)
    pictures = [from_png(file) for file in files if file.suffix == ".png"]
    np.testing.assert_array_equal(pictures, run.draw(np.repeat(np.arange(10), 20), range(200)))
    assert {file.suffix for file in files if file.is_file()} == {".png"}


def test_capitals_in_an_ending_are_no_matter(home, capsys):
    assert says(capsys, "generate", "tiny_digits", "--class", 1, "--out", home / "A.PNG")[0] == 0
    assert says(capsys, "generate", "tiny_digits", "--per-class", 1, "--out", home / "A.NPZ")[0] == 0
    assert says(capsys, "export", "tiny_digits", home / "A.KERAS")[0] == 0
    shutil.copy(home / "A.KERAS", home / "a_copy.keras")
    assert keras.models.load_model(home / "a_copy.keras").name == "generator"


def test_a_very_tall_picture_is_refused(home, capsys):
    code, _, err = says(capsys, "generate", "tiny_digits", "--class", 1, "--count", 20000, "--out", home / "a.png")
    assert code == 2 and "--per-class" in err


def test_evaluate(home, unconditional_run, capsys):
    shutil.copytree(unconditional_run.path, home / "runs" / "tiny_any")
    code, out, err = says(capsys, "evaluate", "--all", "--per-class", 12)
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()] == ["tiny_digits", "tiny_any"]
    metrics = Run("tiny_digits").metrics
    assert metrics["protocol"]["images_per_class"] == 12
    assert metrics["verdict"]["text"] in out


def test_a_package_that_the_inception_fid_lacks_is_missed_before_anything_is_measured(home, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.setattr("cgan_utils.results.evaluation.evaluate", lambda *_, **__: pytest.fail("it was measured"))
    code, _, err = says(capsys, "evaluate", "tiny_digits", "--fid")
    assert code == 2 and 'pip install -e ".[fid]"' in err and err.count("\n") == 1
    assert not (home / "resultados" / "tiny_digits" / "metrics.json").exists()


def own_pictures(home, monkeypatch, name):
    """Ten pictures in the folder 'mine', and an experiment of this name that suits them."""
    settings = experiments.Experiment(name, "mnist", "tiny_unconditional", epochs=1, batch_size=4)
    monkeypatch.setitem(experiments.EXPERIMENTS, name, settings)
    monkeypatch.setenv("CGAN_CACHE_DIR", str(home / "cache"))
    (home / "mine").mkdir()
    for i, picture in enumerate(np.random.RandomState(0).randint(0, 256, (10, 50, 40, 3)).astype("uint8")):
        Image.fromarray(picture).save(home / "mine" / f"{i}.png")


def test_ones_own_run_is_listed_and_called_by_a_name_that_opens_it(home, run, capsys, monkeypatch):
    own_pictures(home, monkeypatch, "tiny_digits")
    code, out, _ = says(capsys, "train", "tiny_digits", "--data", home / "mine")
    assert code == 0 and "Call it runs/tiny_digits; tiny_digits is the run that ships" in out
    assert "cgan generate runs/tiny_digits " in (home / "runs" / "tiny_digits" / "README.md").read_text("utf-8")
    assert Run("runs/tiny_digits").record["data"]["title"] == "mine" != Run("tiny_digits").record["data"]["title"]
    rows = {row["name"]: row for row in json.loads(says(capsys, "list", "--json")[1])}
    assert rows["runs/tiny_digits"]["trained_epochs"] == 1 and rows["tiny_digits"]["trained_epochs"] == 2


def test_train_on_a_folder_of_ones_own(home, capsys, monkeypatch):
    own_pictures(home, monkeypatch, "tiny_any")
    code, out, _ = says(capsys, "train", "tiny_any", "--data", home / "mine", "--out", home / "run")
    assert code == 0
    run = Run(home / "run")
    assert run.record["data"]["title"] == "mine"
    assert run.record["data"]["images"] == 9
    assert run.generate(0, range(2)).shape == (2, 28, 28, 3)


def test_demo_prints_where_the_picture_is(home, capsys):
    code, out, _ = says(capsys, "demo", "--run", "tiny_digits")
    assert code == 0
    assert from_png(out.strip()).shape[0] == (29 * 10 - 1) * 4


def test_export(home, capsys):
    assert says(capsys, "export", "tiny_digits", home / "a.keras")[0] == 0
    assert keras.saving.load_model(home / "a.keras").output_shape == (None, 28, 28, 1)


def test_train_and_resume(home, capsys, monkeypatch, digits):
    monkeypatch.setitem(
        experiments.EXPERIMENTS, "tiny_digits", experiments.Experiment("tiny_digits", "mnist", "tiny", epochs=2)
    )
    monkeypatch.setattr("cgan_utils.training.train.load", lambda name, **_: digits)
    command = ["train", "tiny_digits", "--out", home / "mine", "--limit-images", 32, "--batch-size", 16, "--seed", 4]
    command += ["--draw-averaged"]
    code, out, _ = says(capsys, *command, "--epochs", 1)
    assert code == 0
    assert str(home / "mine") in out
    record = json.loads((home / "mine" / "run.json").read_text(encoding="utf-8"))
    assert record["experiment"]["seed"] == 4
    assert record["data"]["images"] == 32
    assert record["draws_with"] == "generator_averaged.safetensors"
    assert says(capsys, *command, "--epochs", 1)[0] == 2  # never overwritten
    assert says(capsys, *command, "--resume")[0] == 0
    record = json.loads((home / "mine" / "run.json").read_text(encoding="utf-8"))
    assert record["training"]["epochs"] == 2


def test_only_a_stop_that_was_not_planned_is_a_failure(home, digits, capsys, monkeypatch):
    tiny = experiments.Experiment("tiny_digits", "mnist", "tiny", epochs=2, batch_size=16)
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny_digits", tiny)
    monkeypatch.setattr("cgan_utils.training.train.load", lambda name, **_: digits)
    command = ["train", "tiny_digits", "--limit-images", 64, "--out"]
    code, _, err = says(capsys, *command, home / "planned", "--minutes", 1e-9)
    assert code == 0 and "Stopped in epoch 1" in err
    assert not Run(home / "planned").record["training"]["complete"]

    def press(self, batch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr("cgan_utils.training.callbacks.Interruptible.on_train_batch_end", press)
    for options in ([], ["--minutes", 60]):
        assert says(capsys, *command, home / f"stopped{len(options)}", *options)[0] == 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tarin"], "train"),
        (["train", "modelo_1_mnits_v2"], "modelo_1_mnist_v2"),
        (["generate", "tiny_digit", "--class", "7", "--out", "a.png"], "tiny_digits"),
        (["generate", "tiny_digits", "--class", "seven", "--out", "a.png"], "seven"),
        (["generate", "tiny_digits", "--class", "10", "--out", "a.png"], "10"),
        (["generate", "tiny_digits", "--class", "7", "--out", "a.jpg"], ".png"),
        (["generate", "tiny_digits", "--class", "7", "--count", "0", "--out", "a.png"], "--count"),
        (["generate", "tiny_digits", "--class", "7", "--seed", "-1", "--out", "a.png"], "--seed"),
        (["generate", "tiny_digits", "--per-class", "2", "--out", "a.png"], ".npz"),
        (["generate", "tiny_digits", "--out", "a.png"], "--class"),
        (["export", "tiny_digits", "a.h5"], ".keras"),
        (["evaluate"], "--all"),
        (["evaluate", "tiny_digits", "--all"], "--all"),
        (["evaluate", "tiny_digit"], "tiny_digits"),
        (["evaluate", "tiny_digits", "--per-class", "0"], "--per-class"),
        (["generate", "tiny_digits", "--per-class", "2", "--count", "3", "--out", "a.npz"], "either --per-class"),
        (["data", "mnits"], "mnist"),
        (["data", "mnist", "--out", "a.jpg"], ".png"),
        (["data", "mnist", "--background", "nope"], "colour"),
        (["train", "modelo_1_mnist_v2", "--background", "nope"], "colour"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(arguments, words, home, capsys):
    before = sorted(path for path in home.rglob("*") if path.is_file())
    code, out, err = says(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.startswith("cgan: ")
    assert err.count("\n") == 1
    assert sorted(path for path in home.rglob("*") if path.is_file()) == before


def test_numbers_that_are_none_are_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit) as error:
        main(["train", "modelo_1_mnist_v2", "--epochs", "many"])
    assert error.value.code == 2
