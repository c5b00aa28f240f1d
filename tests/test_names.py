"""Names that come from users and strangers: of classes, runs and folders."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from cgan_utils import paths
from cgan_utils.__main__ import main
from cgan_utils.data.image_dataset import class_index
from cgan_utils.errors import CganError
from cgan_utils.paths import file_names
from cgan_utils.results.run import Run
from cgan_utils.views.explorer import Explorer


def renamed(run, folder, class_names):
    """A copy of a run whose classes have other names."""
    shutil.copytree(run.path, folder)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["data"]["class_names"] = class_names
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return Run(folder)


SIZES = ["1", "2", "10", *(f"size {i}" for i in range(3, 10))]


@pytest.mark.parametrize(("asked", "index"), [(1, 0), ("1", 0), (np.int64(10), 2), ("10", 2), (3, 3), ("SIZE 4", 4)])
def test_a_name_that_is_a_number_is_a_name_first(asked, index):
    assert class_index(asked, SIZES) == index


def test_python_the_command_line_and_the_explorer_agree_on_numbers(run, tmp_path):
    sizes = renamed(run, tmp_path / "sizes", SIZES)
    ten = sizes.draw(2, 5)
    for asked in (10, "10", ["10"], np.array([10])):
        np.testing.assert_array_equal(sizes.generate(asked, 5), ten)
    mixed = sizes.generate(["2", 1, "size 3"], 5)
    np.testing.assert_array_equal(mixed, sizes.draw([1, 0, 3], 5))
    assert main(["generate", str(sizes.path), "--class", "10", "--seed", "5", "--out", str(tmp_path / "a.png")]) == 0
    assert main(["generate", str(run.path), "--class", "2", "--seed", "5", "--out", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    for label in (10, "10", np.int64(10)):
        assert Explorer(sizes, label=label).label.value == 2


def test_classes_with_odd_names_get_folders_of_their_own_and_none_leaves(run, tmp_path):
    odd = ["..", ".", "", "a/b", "a-b", "a\\b", "CON", "con.txt", "é ß", "A-B"]
    stranger = renamed(run, tmp_path / "stranger", odd)
    out = tmp_path / "deep" / "out"
    assert main(["generate", str(stranger.path), "--per-class", "1", "--out", str(out)]) == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert len(list(out.glob("*/*.png"))) == 10
    names = [path.name for path in out.iterdir()]
    assert len({name.lower() for name in names}) == 10
    assert not {"con", "con.txt"} & {name.lower() for name in names}


def test_usual_names_stay_as_they_are():
    assert file_names(["airplane", "sweet_pepper", "T-shirt/top", "Ankle boot", "Niña"]) == [
        "airplane",
        "sweet_pepper",
        "T-shirt-top",
        "Ankle_boot",
        "Niña",
    ]


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_accent_is_the_same_however_it_is_written(forms):
    kept, asked = (unicodedata.normalize(form, "niño") for form in forms)
    assert class_index(asked, ("gato", kept)) == class_index(asked.upper(), ("gato", kept)) == 1
    assert file_names([kept]) == ["niño"]


@pytest.mark.parametrize("names", [["A-2", "a", "A"], ["con.txt", "class-con.txt"], ["..", "class-0"]])
def test_a_name_that_is_made_up_takes_no_other_and_is_not_reserved(names):
    made = [name.lower() for name in file_names(names)]
    assert len(set(made)) == len(names)
    assert not any(name.partition(".")[0] == "con" for name in made)


@pytest.mark.parametrize("wrong", [-1, 3.5, None, ["a"]])
def test_what_is_no_name_of_a_run_is_one_sentence(wrong):
    with pytest.raises(CganError, match="is no run; give a run's name or its folder"):
        Run(wrong)


def test_the_explorer_answers_what_is_no_run(run):
    with pytest.raises(CganError, match="-1 is no run"):
        Explorer(-1)
    assert Explorer(run).run.value == Explorer(run.path).run.value == str(run.path)
    assert Run(run).path == run.path


def test_an_evaluator_that_fails_keeps_no_picture_from_being_drawn(run, monkeypatch):
    def broken(_):
        raise ValueError("whatever")

    monkeypatch.setattr("cgan_utils.views.explorer.find_evaluator", broken)
    assert bytes(Explorer(run).image.value).startswith(b"\x89PNG")


def test_an_installed_package_works_in_the_current_folder(tmp_path, monkeypatch):
    """As from a wheel: the package alone in a folder of libraries."""
    monkeypatch.delenv("CGAN_HOME", raising=False)
    libraries = tmp_path / "site-packages"
    shutil.copytree(Path(paths.__file__).parent, libraries / "cgan_utils")
    (tmp_path / "work").mkdir()
    code = "from cgan_utils.paths import own_folder; print(own_folder()); from cgan_utils.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "generate", "modelo_1_mnist_v2", "--class", "7", "--out", "x.png"],
        cwd=tmp_path / "work",
        env={**os.environ, "PYTHONPATH": str(libraries)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(tmp_path / "work" / "runs")
    assert "let CGAN_HOME name a clone of it" in done.stderr
