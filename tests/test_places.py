"""Where a training may write: a folder of its own, tried before its first step."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sentences import is_one_sentence

from cgan_utils import paths
from cgan_utils.__main__ import main
from cgan_utils.backend import keras
from cgan_utils.data.datasets import load
from cgan_utils.errors import CganError
from cgan_utils.images import to_png
from cgan_utils.models.experiments import experiment
from cgan_utils.paths import (
    by_name,
    forget_unfinished,
    put_back,
    try_place,
    whole,
    whole_folder,
    write_beside,
    write_whole,
)
from cgan_utils.results.run import Run
from cgan_utils.training.train import train


@pytest.mark.parametrize("out", ["file/run", "/", "."])
def test_a_place_that_cannot_be_a_run_is_refused_before_the_first_step(tmp_path, monkeypatch, tiny, digits, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CganError):
        train(tiny, out, data=digits, verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_training_that_fails_leaves_no_empty_folder(tmp_path, tiny, digits):
    class Fails(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise CganError("It failed.")

    with pytest.raises(CganError, match="It failed"):
        train(tiny, tmp_path / "run", data=digits, extra_callbacks=[Fails()], verbose=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("amount", [{"limit_images": 1.5}, {"epochs": 1.5}, {"seed": 0.5}, {"batch_size": 2.5}])
def test_fractions_of_things_that_are_counted_are_refused(tmp_path, tiny, digits, amount):
    with pytest.raises(CganError, match="whole number"):
        train(tiny, tmp_path / "run", data=digits, verbose=0, **amount)
    assert not any(tmp_path.iterdir())


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert experiment("modelo_1_mnist_v2", seed=np.int64(3)).seed == 3


def test_what_the_system_refuses_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    code = main(["generate", "modelo_1_mnist_v2", "--class", "7", "--out", str(tmp_path / "file" / "seven.png")])
    assert code == 2
    assert capsys.readouterr().err.startswith(f"cgan: {tmp_path / 'file' / 'seven.png'} can't be")


def test_seeds_beyond_what_numpy_takes_are_refused(tmp_path, capsys):
    out = tmp_path / "all.npz"
    code = main(["generate", "modelo_1_mnist_v2", "--per-class", "1", "--seed", str(2**70), "--out", str(out)])
    assert code == 2 and "There is no seed" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("command", [["generate", "--class", "7", "--out"], ["generate", "--per-class", "1", "--out"]])
def test_what_cannot_be_written_whole_leaves_nothing_behind(run, tmp_path, monkeypatch, capsys, command):
    def full(old, new):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    out = tmp_path / ("seven.png" if "--class" in command else "all.npz")
    code = main([command[0], str(run.path), *command[1:], str(out)])
    assert code == 2 and "No space left on device" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_a_checkpoint_that_cannot_be_written_is_one_sentence_and_the_old_one_stays(tiny, digits, tmp_path, monkeypatch):
    from cgan_utils.training import checkpoints

    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    before = (tmp_path / "run.checkpoint").read_bytes()

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(CganError, match="No space left on device.*--resume"):
        train(tiny, tmp_path / "run", data=digits, verbose=0, resume=True)
    assert (tmp_path / "run.checkpoint").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"run", "run.checkpoint"}


def test_a_user_without_a_home_gets_the_temporary_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert paths.expanded("~nobody-of-this-name/.cache/cgan_utils") == tmp_path / ".cache/cgan_utils"
    monkeypatch.setenv("HOME", "/home/ana")
    monkeypatch.setenv("CGAN_HOME", "~/mine")
    assert paths.own_folder().as_posix() == "/home/ana/mine/runs"


def test_the_place_of_the_measures_is_tried_before_minutes_of_measuring(run, tmp_path, monkeypatch, capsys):
    shutil.copytree(run.path, tmp_path / "run")

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr("cgan_utils.results.evaluation.evaluate", lambda *_, **__: pytest.fail("it was measured"))
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert "metrics.json can't be read or written (Permission denied)" in capsys.readouterr().err


def test_trying_a_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("mine")
    try_place(tmp_path / "new" / "deep" / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(OSError, match="a.png"):
        try_place(tmp_path / "file" / "a.png")


def test_a_drive_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as on Windows, where Z: may not even be a folder
    with pytest.raises(FileNotFoundError) as error:
        try_place(tmp_path / "a.png")
    assert error.value.filename == str(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_windows_holds_for_a_moment_is_replaced_all_the_same(kind, monkeypatch, tmp_path):
    replace, left, waits = os.replace, [2], []

    def held(old, new):
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(13, "Access is denied", str(old))
        return replace(old, new)

    def write(text):
        if kind == "file":
            write_whole(tmp_path / "a", text)
        else:
            with whole_folder(tmp_path / "a") as new:
                (new / "text").write_text(text)

    write("old")
    monkeypatch.setattr("os.replace", held)
    monkeypatch.setattr("time.sleep", waits.append)
    write("new")
    read = tmp_path / "a" if kind == "file" else tmp_path / "a" / "text"
    assert read.read_text() == "new" and len(waits) == 2
    left[0] = 99
    with pytest.raises(PermissionError):
        write("newer")
    assert read.read_text() == "new" and [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_old_folder_comes_back_if_the_new_one_cannot_take_its_place(monkeypatch, tmp_path):
    replace, moves = os.replace, []

    def refuse_the_second(old, new):
        moves.append(new)
        if len(moves) == 2:
            raise OSError(5, "Input/output error")
        replace(old, new)

    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "text").write_text("old")
    monkeypatch.setattr("os.replace", refuse_the_second)
    with pytest.raises(OSError, match="Input/output error"), whole_folder(tmp_path / "a"):
        pass
    assert (tmp_path / "a" / "text").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


KILLED = """
import os, sys
from pathlib import Path
from cgan_utils.paths import whole_folder

rename, left = os.replace, [int(sys.argv[2])]

def killed(old, new):
    if not left[0]:
        os._exit(9)
    left[0] -= 1
    rename(old, new)

os.replace = killed
with whole_folder(Path(sys.argv[1])) as new:
    (new / "text").write_text("new")
    os.link(Path(sys.argv[1]) / "notes", new / "notes")
"""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_process_that_is_killed_at_a_rename_loses_nothing(renames, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "text").write_text("old")
    (folder / "notes").write_text("of the user")
    done = subprocess.run([sys.executable, "-c", KILLED, folder, str(renames)], check=False)
    assert done.returncode == (0 if renames == 2 else 9)
    put_back(tmp_path)
    assert (folder / "text").read_text() == ("new" if renames == 2 else "old")
    assert (folder / "notes").read_text() == "of the user"
    forget_unfinished(folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("opened", ["by its folder", "by its name", "to train on"])
def test_a_run_whose_writer_was_killed_between_two_renames_is_there_again(
    opened, run, tiny, digits, tmp_path, monkeypatch
):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    folder = tmp_path / "runs" / "tiny_digits"
    shutil.copytree(run.path, folder.with_name(".old-0a1b2c3d-tiny_digits"))
    if opened == "to train on":
        with pytest.raises(CganError, match="choose another folder"):
            train(tiny, folder, data=digits, verbose=0)
    assert Run(folder if opened == "by its folder" else "tiny_digits").path == folder.resolve()
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_of_the_user_that_is_called_alike_stays(tmp_path):
    mine = tmp_path / ".old-projects-run"
    mine.mkdir()
    put_back(tmp_path)
    (tmp_path / "run").mkdir()
    forget_unfinished(tmp_path / "run")
    assert mine.is_dir()


def test_a_folder_that_is_put_back_while_another_takes_its_place_is_replaced(monkeypatch, tmp_path):
    rename, folder, once = os.replace, tmp_path / "run", [True]
    write_whole(folder / "text", "old")

    def meanwhile(old, new):
        if new == folder and once:
            once.clear()
            put_back(tmp_path)  # as another process that opens the run just now
        rename(old, new)

    monkeypatch.setattr("os.replace", meanwhile)
    with whole_folder(folder) as new:
        (new / "text").write_text("new")
    assert not once and (folder / "text").read_text() == "new" and list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("refused", [[2], [3, 4, 5]], ids=["in the middle", "at the end"])
def test_a_run_whose_folder_is_held_is_written_later(refused, tiny, digits, tmp_path, monkeypatch, capsys):
    """As on Windows, where no folder can be replaced while a spreadsheet shows a file of it."""
    replace, folder, tries = os.replace, tmp_path / "run", []

    def held(path, target):
        tries.extend([path] * (Path(path) == folder))
        if Path(path) == folder and len(tries) in refused:
            raise PermissionError(13, "Access is denied", str(path))
        replace(path, target)

    monkeypatch.setattr("cgan_utils.paths.moved", held)
    monkeypatch.setattr("cgan_utils.training.callbacks.Saver.PAUSE", 0)
    options = {"data": digits, "epochs": 3, "verbose": 0}
    if refused == [2]:
        assert len(train(tiny, folder, **options).history) == 3
    else:
        with pytest.raises(CganError, match="close it, and the same command with --resume") as error:
            train(tiny, folder, **options)
        assert is_one_sentence(error) and len(Run(folder).history) == 2
    said = capsys.readouterr().err
    assert said.count("can't be replaced") == 1 and "the training goes on" in said
    refused.clear()
    assert len(train(tiny, folder, resume=True, **options).history) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.checkpoint"]


def test_two_that_write_one_file_at_once_do_not_meet(tmp_path):
    with whole(tmp_path / "a.json") as first:
        first.write_text("first")
        write_whole(tmp_path / "a.json", "second")
    assert (tmp_path / "a.json").read_text() == "first"
    with whole_folder(tmp_path / "run") as first, whole_folder(tmp_path / "run") as second:
        for folder, text in ((first, "first"), (second, "second")):
            (folder / "text").write_text(text)
    assert (tmp_path / "run" / "text").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "run"]


def test_what_a_killed_process_left_goes_when_its_training_goes_on(tiny, digits, tmp_path):
    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    paths._beside(tmp_path / "run.checkpoint", "new").write_text("half")
    paths._beside(tmp_path / "run", "old").mkdir()
    assert len(list(tmp_path.iterdir())) == 4
    train(tiny, tmp_path / "run", data=digits, verbose=0, resume=True)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "run.checkpoint"}


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_with_other_files_and_a_run_without_its_checkpoint_lead_nowhere_else(resume, tiny, digits, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(CganError, match="mine is there already, and holds no training; choose another folder") as other:
        train(tiny, tmp_path / "mine", data=digits, verbose=0, resume=resume)
    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    (tmp_path / "run.checkpoint").unlink()
    with pytest.raises(CganError, match="run.checkpoint beside it, is gone.*choose another folder") as gone:
        train(tiny, tmp_path / "run", data=digits, verbose=0, resume=resume)
    assert is_one_sentence(other) and is_one_sentence(gone)
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "run"}


def test_runs_of_one_name_in_several_folders_are_told_apart():
    one, two, three = (SimpleNamespace(path=Path(folder, "a"), name="a") for folder in ("x", "y", "z"))
    assert by_name([one, two, one, three]) == {"a": one, "a (2)": two, "a (3)": three}


def test_what_lies_beside_is_not_overwritten(tmp_path):
    path = tmp_path / "a.png"
    assert [write_beside(path, content).name for content in (b"1", b"2", b"1", b"3", b"2")] == [
        "a.png",
        "a_2.png",
        "a.png",
        "a_3.png",
        "a_2.png",
    ]
    assert len(list(tmp_path.iterdir())) == 3


def test_the_home_folder_may_be_written_as_a_tilde(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for label in "ab":
        for i in range(2):
            write_whole(tmp_path / "photos" / label / f"{i}.png", to_png(np.full((9, 9, 3), 9 * i, "uint8")))
    shutil.copytree(run.path, tmp_path / "mine")
    assert load("~/photos").class_names == ("a", "b")
    assert Run("~/mine").path == (tmp_path / "mine").resolve()
    assert main(["generate", "~/mine", "--class", "7", "--out", "~/new/seven.png"]) == 0
    assert main(["data", "~/photos", "--out", "~/sheet.png"]) == 0
    assert (tmp_path / "new" / "seven.png").is_file() and (tmp_path / "sheet.png").is_file()
