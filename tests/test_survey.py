"""Own pictures before a training: what `cgan data` says of a folder, archives, and data from memory."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from cgan_utils.__main__ import main
from cgan_utils.data.arrays import from_arrays, from_pairs
from cgan_utils.data.datasets import available, load
from cgan_utils.data.sources import DataError
from cgan_utils.data.survey import imbalance
from cgan_utils.errors import CganError
from cgan_utils.results.evaluator import find_evaluator


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def pets(tmp_path):
    """22 cats, of which two are the same, and two dogs, of which one is a cat."""
    for name, count in (("cats", 22), ("dogs", 2)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(count):
            seed = 0 if i == 1 else i
            pixels = np.random.default_rng(seed).integers(0, 255, (40, 30, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{i}.png")
    Image.new("RGB", (3000, 20), "red").save(tmp_path / "pets" / "dogs" / "1.png")
    return tmp_path / "pets"


def zipped(folder, target, within=""):
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, f"{within}{file.relative_to(folder).as_posix()}")
        archive.writestr("__MACOSX/pets/cats/._0.png", b"no picture")
        archive.writestr(f"{within}labels.csv", b"no picture")
    return target


# --- cgan data ---


def test_cgan_data_says_what_a_folder_holds(pets, tmp_path, capsys):
    assert main(["data", str(pets), "--out", str(tmp_path / "sheet.png")]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("pets: 22 training and 2 test images of 32×32×3, 2 classes: cats, dogs")
    assert lines[1:4] == ["cats: 22 pictures", "dogs: 2 pictures", "The sides are of 20 to 3,000 pixels."]
    assert "Too few to learn a class from, fewer than 20: dogs (2)." in lines
    assert "The same picture is in two classes: dogs/0.png and cats/0.png." in lines
    assert "Pictures that are there twice: cats/1.png and cats/0.png." in lines
    assert "very long or very small, and little of them will be seen: dogs/1.png" in said.err
    assert Image.open(tmp_path / "sheet.png").size[0] > 300


def test_classes_far_rarer_than_others_are_named():
    assert imbalance({"a": 1000, "b": 99, "c": 100}) == ["More than 10 times rarer than a, and so learned less: b."]
    assert imbalance({"a": 25, "b": 24}) == []


# --- archives ---


def test_many_classes_without_an_image_to_test_on_are_remarked(tmp_path, capsys):
    x = np.random.default_rng(0).integers(0, 255, (20, 28, 28)).astype("uint8")
    x[0, 0, 0] = 255
    for tested, said in ((1, True), (10, False)):
        y = np.arange(20) % 10
        np.savez(tmp_path / "few.npz", x_train=x, y_train=y, x_test=x[:tested], y_test=y[:tested])
        assert main(["data", str(tmp_path / "few.npz")]) == 0
        assert ("9 of the 10 classes" in capsys.readouterr().out) == said


@pytest.mark.parametrize("within", ["", "pets/"])
def test_a_zip_is_read_like_its_folder(within, pets, tmp_path):
    archive = zipped(pets, tmp_path / "pets.zip", within)
    assert available(archive)
    data, straight = load(archive, size=16), load(pets, size=16)
    assert (data.name, data.class_names) == ("pets", ("cats", "dogs"))
    assert data.fingerprint == straight.fingerprint
    assert data.folder == str(archive)


def test_a_zip_of_a_folder_of_one_kind_is_read_like_the_folder(pets, tmp_path):
    with zipfile.ZipFile(tmp_path / "felines.zip", "w") as archive:
        for file in (pets / "cats").iterdir():
            archive.write(file, f"cats/{file.name}")
    data = load(tmp_path / "felines.zip", size=16)
    assert data.class_names == ("cats",)
    assert data.fingerprint == load(pets / "cats", size=16).fingerprint


def test_names_with_backslashes_in_a_zip_are_folders(pets, tmp_path):
    archive = zipped(pets, tmp_path / "pets.zip", "")
    with zipfile.ZipFile(archive) as plain, zipfile.ZipFile(tmp_path / "windows.zip", "w") as other:
        for member in plain.infolist():
            if not member.is_dir():
                info = zipfile.ZipInfo("x")
                info.filename = f"pets\\{member.filename}".replace("/", "\\")
                other.writestr(info, plain.read(member))
    assert load(tmp_path / "windows.zip", size=16).class_names == ("cats", "dogs")


@pytest.mark.parametrize("name", ["../out.png", "/tmp/out.png", "cats\\..\\..\\out.png", "C:/out.png"])
def test_a_name_that_leads_out_of_the_zip_is_refused(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(DataError, match="leads out of it; it is not unpacked"):
        load(tmp_path / "bad.zip")
    assert not list((tmp_path / "cache").rglob("*.png"))


def test_a_zip_that_is_too_large_or_damaged_is_one_sentence(pets, tmp_path, monkeypatch):
    archive = zipped(pets, tmp_path / "pets.zip")
    monkeypatch.setattr("cgan_utils.data.archives.LARGEST", 1000)
    with pytest.raises(DataError, match="GB of pictures; unpack it yourself"):
        load(archive)
    archive.write_bytes(archive.read_bytes()[:500])
    with pytest.raises(DataError, match="cannot be unpacked"):
        load(archive)
    assert not list((tmp_path / "cache").rglob("*.png"))


# --- from memory ---

COUNT = 40
LEVELS = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3)).astype("uint8")
LABELS = np.arange(COUNT) % 2


@pytest.mark.parametrize(
    "images",
    [LEVELS, LEVELS / 255, (LEVELS / 127.5 - 1).astype("float32"), LEVELS.astype("float32"), LEVELS.astype("int64")],
    ids=["uint8", "0 to 1", "-1 to 1", "float 255", "int64"],
)
def test_images_of_every_range(images):
    data = from_arrays(images, LABELS)
    np.testing.assert_array_equal(data.x_train, LEVELS[:36])
    assert (len(data.x_test), data.y_test.tolist()) == (4, [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (LABELS, ("0", "1")),
        (LABELS[:, None], ("0", "1")),
        (np.eye(2)[LABELS], ("0", "1")),
        (np.array(["dog", "cat"])[1 - LABELS], ("cat", "dog")),
        (np.array([b"dog", b"cat"])[1 - LABELS], ("cat", "dog")),
        (None, ("any",)),
    ],
    ids=["integers", "a column", "one-hot", "names", "names as bytes", "none"],
)
def test_labels_of_every_kind(labels, names):
    data = from_arrays(LEVELS, labels)
    assert data.class_names == names
    assert data.y_train.dtype == np.int32
    assert data.y_train.tolist() == (LABELS[:36].tolist() if len(names) == 2 else [0] * 36)


@pytest.mark.parametrize(
    ("images", "labels", "options", "hint"),
    [
        (LEVELS[0, 0], LABELS, {}, r"Images are \[N, H, W\], or"),
        (LEVELS * 3.0, LABELS, {}, r"not in \[0, 765\]; scale them"),
        (np.full(LEVELS.shape, np.nan), LABELS, {}, "finite"),
        (LEVELS, LABELS[:5], {}, "one for each of the 40 images"),
        (LEVELS, LABELS - 1, {}, "Labels go from 0 to 0, not from -1"),
        (LEVELS, LABELS + 0.5, {}, "integers or names, not float64"),
        (LEVELS, LABELS, {"class_names": ("a", "b", "c")}, "No image is of the class c"),
        (LEVELS, ["a", "b"] * 20, {"class_names": ("a",)}, "'b' is a label and not in class_names"),
        (LEVELS, LABELS, {"test_share": 1.5}, "test_share is 1.5"),
        (LEVELS[:3], None, {}, "none is left to test on"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(images, labels, options, hint):
    with pytest.raises(CganError, match=hint):
        from_arrays(images, labels, **options)


def test_pairs_of_any_library():
    pairs = list(zip(LEVELS, LABELS, strict=True))
    plain = from_pairs(pairs)
    np.testing.assert_array_equal(plain.x_train, LEVELS[:36])
    turned = from_pairs([(image.transpose(2, 0, 1), label) for image, label in pairs])
    named = from_pairs([{"image": Image.fromarray(image), "label": ("cat", "dog")[label]} for image, label in pairs])
    assert turned.fingerprint == plain.fingerprint == named.fingerprint
    assert named.class_names == ("cat", "dog")
    with pytest.raises(CganError, match="All images must have one size"):
        from_pairs([(LEVELS[0], 0), (LEVELS[0, :4], 0)])
    with pytest.raises(CganError, match="There is no pair in it"):
        from_pairs([])


def test_labels_of_256_classes_fit_into_eight_bits():
    images = np.zeros((256, 8, 8, 1), "uint8")
    data = from_arrays(np.tile(images, (2, 1, 1, 1)), np.tile(np.arange(256, dtype="uint8"), 2), test_share=0.5)
    assert data.class_names[-1] == "255"


def test_pairs_of_a_tf_data_set():
    tf = pytest.importorskip("tensorflow")
    data = from_pairs(tf.data.Dataset.from_tensor_slices((LEVELS, LABELS)))
    assert data.fingerprint == from_arrays(LEVELS, LABELS).fingerprint


def test_arrays_called_like_a_data_set_are_not_taken_for_it():
    data = from_arrays(LEVELS, LABELS, name="cifar10")
    assert data.title == "cifar10 (own pictures)"
    assert find_evaluator(data) is None
