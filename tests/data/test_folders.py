"""Folders of pictures: what is prepared, what is left out, resuming."""

import builtins
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from painting import paint
from PIL import Image, ImageOps
from sentences import is_one_sentence

from cgan_utils.data import folders, pictures
from cgan_utils.data import sources as downloads
from cgan_utils.data.folders import has_pictures, prepare, versions
from cgan_utils.data.mapped import MappedImages
from cgan_utils.data.sources import DataError
from cgan_utils.errors import CganError

pytestmark = pytest.mark.usefixtures("cache")


def directly(path, size):
    """The picture as Pillow alone reads it."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS))


def files_of(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


# --- what is prepared ---


def test_a_flat_folder_is_one_class(flat):
    prepared = prepare(flat, 16)
    assert (prepared.class_names, prepared.files, prepared.left_out, prepared.report) == (("flowers",), 25, {}, "")
    assert (prepared.images.shape, prepared.images.dtype, prepared.images.ndim) == ((25, 16, 16, 3), np.uint8, 4)
    assert prepared.labels.dtype == np.int32
    assert not prepared.labels.any()
    expected = np.stack([directly(path, 16) for path in sorted(flat.iterdir())])
    np.testing.assert_array_equal(prepared.images, expected)


def test_sub_folders_are_classes_and_every_tenth_image_is_for_testing(classes):
    (classes / ".ipynb_checkpoints").mkdir()
    (classes / "rose" / ".DS_Store").write_text("hidden")
    (classes / "readme.txt").write_text("not a class")
    prepared = prepare(classes, 16)
    assert prepared.class_names == ("iris", "rose")
    assert prepared.labels.tolist() == [0] * 12 + [1] * 21
    splits = {"train": [], "test": []}
    for label, name in enumerate(prepared.class_names):
        for i, path in enumerate(sorted((classes / name).glob("*.jpg"))):
            splits["test" if i % 10 == 9 else "train"].append((path, label))
    x_train, y_train, x_test, y_test = prepared.splits()
    for x, y, pairs in ((x_train, y_train, splits["train"]), (x_test, y_test, splits["test"])):
        order = np.random.RandomState(0).permutation(len(pairs))
        np.testing.assert_array_equal(x, [directly(pairs[k][0], 16) for k in order])
        assert y.tolist() == [pairs[k][1] for k in order]
        assert isinstance(x, MappedImages)
    assert len(x_test) == 3


def test_a_few_pictures_leave_one_for_testing(tmp_path):
    for name in "012":
        paint(tmp_path / "few" / f"{name}.png", int(name))
    x_train, _, x_test, y_test = prepare(tmp_path / "few", 16).splits()
    assert (len(x_train), y_test.tolist()) == (2, [0])
    np.testing.assert_array_equal(x_test[0], directly(tmp_path / "few" / "2.png", 16))


def test_a_cache_of_ones_own(flat, tmp_path, cache):
    prepared = prepare(flat, 8, cache=tmp_path / "elsewhere")
    assert prepared.images.path.is_relative_to(tmp_path / "elsewhere")
    assert not cache.exists()


# --- prepared once ---


def test_a_folder_is_decoded_once_for_each_size(flat, decoded, cache):
    prepare(flat, 8)
    prepare(flat, 8)
    assert len(decoded) == 25
    prepare(flat, 16)
    assert len(decoded) == 50
    assert prepare(flat, 8).images.shape == (25, 8, 8, 3)
    assert len(decoded) == 50
    assert [path.suffix for path in files_of(cache)] == [".json", ".uint8"] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: paint(folder / "99.png", 99),
        lambda folder: (folder / "07.png").unlink(),
        lambda folder: (folder / "07.png").rename(folder / "77.png"),
        lambda folder: paint(folder / "07.png", 99),
    ],
    ids=["more", "less", "renamed", "other"],
)
def test_a_changed_folder_is_prepared_again(change, flat, cache):
    before = prepare(flat, 8).images
    change(flat)
    after = prepare(flat, 8).images
    np.testing.assert_array_equal(after, [directly(path, 8) for path in sorted(flat.iterdir())])
    assert len(before[[0]]) == 1  # for a training that reads it


@pytest.mark.parametrize("at", [0, 3, 8, 24])
def test_an_interrupted_preparation_goes_on(at, flat, decoded, monkeypatch):
    (flat / "01.png").write_text("no picture")
    monkeypatch.setattr(folders, "CHUNK", 4)
    decode = pictures.read

    def interrupted(path, *look):
        if path.name == f"{at:02}.png":
            raise KeyboardInterrupt
        return decode(path, *look)

    monkeypatch.setattr(pictures, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(flat, 8)
    monkeypatch.setattr(pictures, "read", decode)
    decoded.clear()
    prepared = prepare(flat, 8)
    assert decoded == [f"{i:02}.png" for i in range(at // 4 * 4, 25)]
    assert list(prepared.left_out) == ["01.png"]
    good = [path for path in sorted(flat.iterdir()) if path.name != "01.png"]
    np.testing.assert_array_equal(prepared.images, [directly(path, 8) for path in good])
    assert prepared.images.path.stat().st_size == 24 * 8 * 8 * 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda images, index: images.write_bytes(images.read_bytes()[:-1]),
        lambda images, index: images.write_bytes(images.read_bytes() + b"more"),
        lambda images, index: images.unlink(),
        lambda images, index: index.unlink(),
        lambda images, index: index.write_text('{"done": 25'),
        lambda images, index: index.write_text('{"finished": 25}'),
        lambda images, index: index.write_text("[]"),
    ],
    ids=["short", "long", "no images", "no index", "half an index", "other index", "odd index"],
)
def test_a_damaged_cache_is_made_anew(damage, flat, decoded):
    before = prepare(flat, 8).images
    expected = np.asarray(before)
    damage(before.path, before.path.with_suffix(".json"))
    np.testing.assert_array_equal(prepare(flat, 8).images, expected)
    assert len(decoded) == 50
    assert before.path.stat().st_size == expected.nbytes


def test_the_index_is_small(flat):
    index = prepare(flat, 8).images.path.with_suffix(".json")
    known = {"class_names": ["flowers"], "groups": [[0, None, 25]], "deep": 0, "colour": True}
    known |= {"sides": [26, 54], "odd": [], "background": "white", "refused": [], "extents": {}}
    assert json.loads(index.read_text()) == {"done": 25, "left_out": {}, **known}


# --- what is left out ---


def test_what_cannot_be_read_is_left_out_and_reported(flat):
    whole = (flat / "04.png").read_bytes()
    (flat / "04.png").write_bytes(whole[: len(whole) // 2])
    (flat / "notes.txt").write_text("not a picture")
    prepared = prepare(flat, 8)
    said = "1 of 25 files could not be read and was left out: 04.png (image file is truncated"
    assert prepared.report.startswith(said)  # a text is no picture
    assert "truncated" in prepared.left_out["04.png"]
    good = [path for path in sorted(flat.glob("*.png")) if path.name != "04.png"]
    np.testing.assert_array_equal(prepared.images, [directly(path, 8) for path in good])
    assert prepare(flat, 8).report == prepared.report


@pytest.fixture
def refused(flat, monkeypatch):
    """The system does not let 04.png be read, whatever `os.access` says: as an access list does on Windows."""
    plain = builtins.open

    def guarded(file, *arguments, **options):
        if str(file).endswith("04.png"):
            raise PermissionError(13, "Permission denied", str(file))
        return plain(file, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", guarded)
        patch.setattr(io, "open", guarded)
        yield patch


def test_what_the_system_refuses_is_left_out_once(flat, refused, decoded):
    for _ in range(3):
        assert "Permission denied" in prepare(flat, 8).left_out["04.png"]
    assert len(decoded) == 25


def test_what_the_system_refused_is_tried_again(flat, refused, decoded):
    without = prepare(flat, 8)
    before = np.asarray(without.images)
    refused.undo()
    for _ in range(2):
        later = prepare(flat, 8)
        assert not later.left_out
        np.testing.assert_array_equal(later.images, [directly(path, 8) for path in sorted(flat.iterdir())])
    assert len(decoded) == 50
    np.testing.assert_array_equal(without.images, before)  # for a training that reads them
    assert sorted(version.files - len(version.left_out) for version in versions(flat, 8)) == [24, 25]


def test_a_version_without_any_picture_is_none(flat):
    for path in flat.iterdir():
        path.write_text("no picture")
    with pytest.raises(DataError, match="no readable picture"):
        prepare(flat, 8)
    assert not list(versions(flat, 8))


def test_earlier_versions_know_their_background(flat):
    prepare(flat, 8, background="black")
    assert [version.background for version in versions(flat, 8)] == ["black"]
    assert prepare(flat, 8).background == "white"
    assert {version.background for version in versions(flat, 8)} == {"black", "white"}


def test_a_long_report_stays_short(flat):
    for i in range(1200):
        (flat / f"x{i:04}.jpg").touch()
    report = prepare(flat, 8).report
    assert report.startswith("1,200 of 1,225 files could not be read and were left out: x0000.jpg, x0001.jpg")
    assert report.endswith("x0004.jpg and 1,195 more (the first one: cannot identify image file 'x0000.jpg').")


@pytest.mark.parametrize("size", [0, -1, 6.5, "64"])
def test_a_wrong_size_is_one_sentence(size, flat):
    with pytest.raises(CganError, match="whole number of pixels") as error:
        prepare(flat, size)
    assert is_one_sentence(error)


def test_a_cache_that_cannot_be_written_is_one_sentence(flat, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="CGAN_CACHE_DIR") as error:
        prepare(flat, 8)
    assert is_one_sentence(error)


def test_a_full_disk_is_no_unreadable_picture(flat, monkeypatch):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *_: Full())
    with pytest.raises(DataError, match="No space left.*make room") as error:
        prepare(flat, 8)
    assert is_one_sentence(error)


def test_has_pictures(flat, classes, tmp_path):
    assert has_pictures(flat)
    assert not has_pictures(classes)
    assert not has_pictures(tmp_path / "nowhere")


# --- the bar ---


def test_a_bar_is_shown_to_a_person_who_waits(flat, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    seconds = iter(np.arange(0, 100, 0.25))
    monkeypatch.setattr(downloads.time, "monotonic", lambda: next(seconds))
    prepare(flat, 8)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    prepare(flat, 9, progress=False)
    assert capsys.readouterr().err == ""
    prepare(flat, 10)
    lines = capsys.readouterr().err.split("\r")
    assert lines[1] == "flowers: ######.............. 8 of 25 pictures"
    assert lines[-1] == "flowers: #################### 25 of 25 pictures\n"


def test_no_bar_for_what_is_quick(flat, monkeypatch, capsys):
    monkeypatch.setattr(downloads.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    prepare(flat, 8)
    assert capsys.readouterr().err == ""
