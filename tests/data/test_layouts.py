"""Folders as people have them: which pictures belong to which class, and what can't be a data set."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from painting import paint, touch
from sentences import is_one_sentence

from cgan_utils.data.folders import prepare
from cgan_utils.data.sources import DataError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize(
    ("fill", "hint"),
    [
        (lambda root: None, "no pictures"),
        (lambda root: touch(root / "a.txt"), "no pictures"),
        (lambda root: touch(root / "a.png"), "no readable picture of the class .*a.png: cannot identify"),
        (lambda root: [paint(root / "red" / "1.png"), touch(root / "blue" / "b.png")], "of the class blue .blue/b.png"),
        (lambda root: paint(root / "red" / "1.png"), "only one class sub-folder, red.*without classes, name .*red"),
        (lambda root: [paint(root / "train" / name / "1.png") for name in "ab"], "only the folder train; name .*train"),
        (lambda root: [paint(root / "red" / "1.png"), (root / "blue").mkdir()], "blue has no images"),
        (lambda root: [paint(root / "red" / "1.png"), paint(root / "2.jpg")], "both pictures, such as 2.jpg, and sub"),
    ],
)
def test_a_folder_of_another_form_is_one_sentence(fill, hint, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    fill(folder)
    for _ in range(2):
        with pytest.raises(DataError, match=hint) as error:
            prepare(folder, 8)
        assert is_one_sentence(error)


def test_pictures_deeper_than_their_class_are_used(tmp_path):
    for i in range(4):
        paint(tmp_path / "pets" / "cats" / "2024" / "may" / f"{i}.png", i)
        paint(tmp_path / "pets" / "dogs" / f"{i}.png", i + 10)
        paint(tmp_path / "pets" / "dogs" / "from_phone" / f"{i}.png", i + 20)
    prepared = prepare(tmp_path / "pets", 8)
    assert np.bincount(prepared.labels).tolist() == [4, 8]
    assert prepared.report == ""


def test_a_circle_of_links_ends(tmp_path):
    paint(tmp_path / "pets" / "cats" / "0.png")
    paint(tmp_path / "pets" / "dogs" / "0.png", 1)
    try:
        (tmp_path / "pets" / "dogs" / "again").symlink_to(tmp_path / "pets" / "dogs")
        (tmp_path / "pets" / "a").symlink_to("b")
        (tmp_path / "pets" / "b").symlink_to("a")
    except OSError:
        pytest.skip("this system makes no links")
    assert prepare(tmp_path / "pets", 8).class_names == ("cats", "dogs")


def test_train_and_test_divide_as_they_say(tmp_path):
    for part, count in (("train", 3), ("test", 2), ("val", 1)):
        for name in ("cats", "dogs"):
            for i in range(count):
                paint(tmp_path / "pets" / part / name / f"{i}.png", i)
    prepared = prepare(tmp_path / "pets", 8)
    x_train, y_train, x_test, y_test = prepared.splits()
    assert prepared.class_names == ("cats", "dogs")
    assert (np.bincount(y_train).tolist(), np.bincount(y_test).tolist()) == ([3, 3], [3, 3])


@pytest.mark.parametrize(
    ("picture", "hint"),
    [
        ("cats/0.png", "has both train and cats; if cats is a class, move it into train"),
        ("0.png", "both pictures, such as 0.png"),
        ("test/fish/0.png", "fish is a class that train has not"),
        ("test/0.png", "test.0.png is in no class; move"),
        ("train/0.png", "train.0.png is in no class; move"),
    ],
)
def test_a_division_that_does_not_add_up_is_one_sentence(picture, hint, tmp_path):
    for part in ("train", "test"):
        for name in ("cats", "dogs"):
            paint(tmp_path / "pets" / part / name / "0.png")
    paint(tmp_path / "pets" / picture)
    with pytest.raises(DataError, match=hint) as error:
        prepare(tmp_path / "pets", 8)
    assert is_one_sentence(error)


def test_what_zips_and_systems_leave_behind_is_passed_over(tmp_path):
    for name in ("cats", "dogs"):
        for i in range(2):
            paint(tmp_path / "pets" / name / f"{i}.png", i)
        touch(tmp_path / "pets" / name / "Thumbs.db")
        touch(tmp_path / "pets" / "__MACOSX" / name / "._0.png")
    touch(tmp_path / "pets" / "labels.csv")
    prepared = prepare(tmp_path / "pets", 8)
    assert (prepared.class_names, prepared.files, prepared.report) == (("cats", "dogs"), 4, "")


def pets_with(files, root):
    """Two classes of two pictures, and these files, which are no pictures that can be read."""
    for name in ("cats", "dogs"):
        for i in range(2):
            paint(root / "pets" / name / f"{i}.png", i)
    for file in files:
        touch(root / "pets" / file)
    return root / "pets"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["cats/a.HEIC"], "1 picture in the form .heic can't be read here; save it as .jpg."),
        (["cats/a.heic", "dogs/x/b.heic"], "2 pictures in the form .heic can't be read here; save them as .jpg."),
        (["a.svg", "cats/a.nef", "cats/a.eps"], "3 pictures in the forms .eps, .nef, .svg can't be read here; save"),
        (["cats/.a.heic", "__MACOSX/cats/a.heic", "cats/a.txt"], ""),
    ],
)
def test_pictures_that_cannot_be_read_here_are_counted(files, said, tmp_path):
    folder = pets_with(files, tmp_path)
    for _ in range(2):
        prepared = prepare(folder, 8)
        assert prepared.files == 4
        assert prepared.report.startswith(said)
        assert bool(prepared.report) == bool(said)


def test_in_train_and_test_they_are_counted_too(tmp_path):
    for part in ("train", "test"):
        pets_with(["cats/a.cr2", "b.cr2"], tmp_path)
        (tmp_path / "pets").rename(tmp_path / part)
        (tmp_path / "all").mkdir(exist_ok=True)
        (tmp_path / part).rename(tmp_path / "all" / part)
    assert prepare(tmp_path / "all", 8).report.startswith("4 pictures in the form .cr2 can't be read here")


@pytest.mark.parametrize("name", ["pets", "pets/cats"])
def test_a_folder_of_nothing_else_says_so(name, tmp_path):
    for i in range(3):
        touch(tmp_path / name / f"{i}.heic")
    if name != "pets":
        paint(tmp_path / "pets" / "dogs" / "0.png")
    with pytest.raises(DataError, match=f"{name}, 3 pictures in the form .heic can't be read here; save") as error:
        prepare(tmp_path / "pets", 8)
    assert is_one_sentence(error)


def test_classes_that_are_numbers_are_in_the_order_of_the_numbers(tmp_path):
    for name in ("10", "2", "1"):
        paint(tmp_path / "sizes" / name / "0.png", int(name))
    assert prepare(tmp_path / "sizes", 8).class_names == ("1", "2", "10")


def test_every_class_has_a_picture_to_learn_from(tmp_path):
    for name, count in (("a", 8), ("b", 9), ("z", 1)):
        for i in range(count):
            paint(tmp_path / "uneven" / name / f"{i}.png", i)
    _, y_train, _, y_test = prepare(tmp_path / "uneven", 8).splits()
    assert np.bincount(y_train).tolist() == [8, 8, 1]
    assert y_test.tolist() == [1]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text there")
def test_a_name_that_is_no_text_is_refused_before_a_training(tmp_path):
    for name in (b"ni\xf1o", "niña".encode()):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/names/" + name))
        paint(folder / "0.png")
    with pytest.raises(DataError, match=r"ni.*udcf1o has a name that can't be written as text; rename it") as error:
        prepare(tmp_path / "names", 8)
    assert is_one_sentence(error)
    str(error.value).encode("ascii")
