"""Folders of pictures: what is prepared, what is left out, resuming, and images that stay in their file."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cgan_utils.data import folders, pictures
from cgan_utils.data import sources as downloads
from cgan_utils.data.folders import has_pictures, prepare, versions
from cgan_utils.data.mapped import MappedImages
from cgan_utils.data.sources import DataError
from cgan_utils.errors import CganError


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded, in order."""
    names, decode = [], pictures.read
    monkeypatch.setattr(pictures, "read", lambda path, *look: [names.append(path.name), decode(path, *look)][1])
    return names


def paint(path, seed=0, width=40, height=30):
    """A picture of random pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def flat(tmp_path):
    """Twenty-five pictures of different sizes in one folder."""
    for i in range(25):
        paint(tmp_path / "flowers" / f"{i:02}.png", i, width=30 + i, height=50 - i)
    return tmp_path / "flowers"


@pytest.fixture
def classes(tmp_path):
    """Two classes, of 12 and 21 pictures."""
    for name, count in (("rose", 21), ("iris", 12)):
        for i in range(count):
            paint(tmp_path / "kinds" / name / f"{i:02}.jpg", len(name) + i)
    return tmp_path / "kinds"


def directly(path, size):
    """The picture as Pillow alone reads it."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS))


def files_of(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


def is_one_sentence(error):
    text = str(error.value)
    return "\n" not in text and text.endswith((".", "?"))


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


def test_pictures_are_cropped_to_the_centre_turned_upright_and_rgb(tmp_path):
    wide = Image.new("L", (90, 30), 0)
    wide.paste(200, (30, 0, 60, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    folder = tmp_path / "grey"
    folder.mkdir()
    wide.save(folder / "0.png", exif=exif)
    assert (prepare(folder, 30).images[0] == 200).all()


def test_small_pictures_are_enlarged(tmp_path):
    paint(tmp_path / "tiny" / "0.png", width=5, height=3)
    np.testing.assert_array_equal(prepare(tmp_path / "tiny", 64).images[0], directly(tmp_path / "tiny" / "0.png", 64))


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
    known |= {"sides": [26, 54], "odd": [], "background": "white", "refused": []}
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


def test_what_the_system_refused_is_tried_again(flat, monkeypatch):
    whole, read = prepare(flat, 8), pictures.read

    def refused(path, *look):
        if path.name == "04.png":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *look)

    (flat / "25.png").write_bytes((flat / "04.png").read_bytes())  # so that the folder is prepared anew
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "read", refused)
        patch.setattr("os.access", lambda *_: False)
        assert "Permission denied" in prepare(flat, 8).left_out["04.png"]
    later = prepare(flat, 8)
    assert not later.left_out
    np.testing.assert_array_equal(later.images[:25], whole.images)


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


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no picture")


@pytest.mark.parametrize(
    ("fill", "hint"),
    [
        (lambda root: None, "no pictures"),
        (lambda root: touch(root / "a.txt"), "no pictures"),
        (lambda root: touch(root / "a.png"), "no readable picture of the class .*a.png: cannot identify"),
        (lambda root: [paint(root / "red" / "1.png"), touch(root / "blue" / "b.png")], "of the class blue .blue/b.png"),
        (lambda root: paint(root / "red" / "1.png"), "only one class sub-folder, red.*without classes, name .*red"),
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


# --- folders as people have them ---


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


def test_grey_pictures_have_one_channel(tmp_path):
    for i in range(3):
        level = Image.new("RGB" if i else "L", (9, 9), (40 * i,) * 3 if i else 7)
        (tmp_path / "grey").mkdir(exist_ok=True)
        level.save(tmp_path / "grey" / f"{i}.png")
    images = prepare(tmp_path / "grey", 8).images
    assert images.shape == (3, 8, 8, 1)
    assert np.asarray(images[[0, 2]])[:, 0, 0, 0].tolist() == [7, 80]
    paint(tmp_path / "grey" / "3.png")
    assert prepare(tmp_path / "grey", 8).images.shape == (4, 8, 8, 3)


# --- pictures of every kind ---

RAMP = np.linspace(0, 1, 64)[None].repeat(64, 0)


@pytest.mark.parametrize(
    ("levels", "ending"),
    [
        ((RAMP * 65535).astype("uint16"), "png"),
        ((RAMP * 65535).astype("uint16"), "tif"),
        ((RAMP * 4095).astype("uint16"), "tif"),
        (RAMP.astype("float32"), "tif"),
        ((RAMP * 255).astype("float32"), "tif"),
        ((RAMP * 9 - 4).astype("float32"), "tif"),
        ((RAMP * 65535).astype("int32"), "tif"),
        ((RAMP * 10**6).astype("int32"), "tif"),
    ],
    ids=["png16", "tif16", "12 bits", "float 1", "float 255", "float -4 to 5", "int32", "wide int32"],
)
def test_more_than_eight_bits_are_scaled_and_said_once(levels, ending, tmp_path):
    for i in range(2):
        (tmp_path / "deep").mkdir(exist_ok=True)
        Image.fromarray(levels).save(tmp_path / "deep" / f"{i}.{ending}")
    prepared = prepare(tmp_path / "deep", 64)
    np.testing.assert_allclose(np.asarray(prepared.images)[0, 30, :, 0], RAMP[0] * 255, atol=1)
    assert prepared.report == "2 pictures have more than eight bits for a pixel, which are scaled to eight."


def red_square(hidden):
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = hidden
    pixels[16:48, 16:48] = (255, 0, 0, 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_what_is_transparent_shows_the_background(mode, tmp_path):
    picture = red_square((0, 255, 0)).convert(mode)
    (tmp_path / "stickers").mkdir()
    for i in range(2):
        picture.save(tmp_path / "stickers" / f"{i}.png")
    for background, level in (("white", 255), ("black", 0)):
        image = np.asarray(prepare(tmp_path / "stickers", 64, background=background).images)[0]
        assert (image[2, 2] == level).all()
        assert not (image[32, 32] == level).all()


# --- images in a file ---


@pytest.fixture
def stored(tmp_path):
    """Twenty random images, in memory and in a file."""
    array = np.random.RandomState(0).randint(0, 256, (20, 4, 5, 3), np.uint8)
    (tmp_path / "images").write_bytes(array.tobytes())
    return array, MappedImages(tmp_path / "images", array.shape)


KEYS = [
    3,
    -1,
    np.int64(7),
    [4, 4, 0, -2],
    np.array([9, 1, 5]),
    np.array([[1, 2], [3, 4]]),
    np.arange(20) % 3 == 0,
    [],
    (..., 0),
    (slice(None), 2, 2),
    (slice(2, 5), slice(None, None, 2)),
    ([1, 2], [3, 0]),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_fetching_equals_numpy(key, stored):
    array, images = stored
    fetched = images[key]
    assert type(fetched) is np.ndarray
    assert fetched.dtype == np.uint8
    np.testing.assert_array_equal(fetched, array[key])


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_fetching_from_a_view_equals_numpy(key, stored):
    array, images = stored
    order = np.random.RandomState(1).permutation(20)
    np.testing.assert_array_equal(images.view(order)[key], array[order][key])


@pytest.mark.parametrize(
    "part", [slice(None), slice(5), slice(-3, None), slice(15, 2, -4), slice(7, 7), slice(10, 99)], ids=str
)
def test_a_slice_reads_nothing(part, stored):
    array, images = stored
    path = images.path.rename(images.path.with_suffix(".away"))
    view = images[part]
    assert isinstance(view, MappedImages)
    assert (view.shape, len(view)) == (array[part].shape, len(array[part]))
    path.rename(images.path)
    np.testing.assert_array_equal(view, array[part])
    np.testing.assert_array_equal(view[::2], array[part][::2])


def test_it_serves_as_an_array(stored):
    array, images = stored
    np.testing.assert_array_equal([image.sum() for image in images], [image.sum() for image in array])
    np.testing.assert_array_equal(np.asarray(images, "float32"), array.astype("float32"))
    assert np.concatenate([images, images[:0]]).shape == array.shape
    with pytest.raises(ValueError, match="always a copy"):
        np.array(images, copy=False)
    for wrong in (20, [3, 20], -21):
        with pytest.raises(IndexError):
            images[wrong]


def test_what_is_fetched_is_a_copy(stored):
    array, images = stored
    for key in (3, [3, 4], ...):
        images[key][:] = 0
    np.testing.assert_array_equal(images, array)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what a process has mapped")
def test_no_map_stays_open(stored):
    array, images = stored
    kept = [images[3], images[[1, 2]], np.asarray(images), images[5:]]
    assert str(images.path) not in Path("/proc/self/maps").read_text()
    assert len(kept) == 4


def test_no_map_is_kept_by_what_was_fetched(stored):
    _, images = stored
    for fetched in (images[3], images[[1, 2]], np.asarray(images)):
        assert fetched.flags.owndata
        assert fetched.base is None


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"short")], ids=["gone", "short"])
def test_a_file_that_is_no_longer_whole_is_one_sentence(damage, stored):
    _, images = stored
    damage(images.path)
    with pytest.raises(DataError, match="no longer whole") as error:
        images[3]
    assert is_one_sentence(error)


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
