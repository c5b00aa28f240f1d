"""Where data sets come from: files of the user, the Keras cache, our own."""

import gzip
import hashlib
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from arrays import small_arrays
from PIL import Image
from sentences import is_one_sentence

from cgan_utils.data import datasets
from cgan_utils.data import sources as downloads
from cgan_utils.data.datasets import available, load
from cgan_utils.data.image_dataset import class_index
from cgan_utils.data.known import FINGERPRINTS, NAMES, SHAPES
from cgan_utils.data.sources import DataError, RemoteFile
from cgan_utils.errors import CganError
from cgan_utils.results.evaluator import find_evaluator, find_teacher

# --- files of the user ---


@pytest.mark.parametrize("name", [name for name in NAMES if name != "celeba"])
def test_an_npz_in_the_data_folder(name, data_dir):
    assert not available(name)
    arrays = small_arrays(name)
    np.savez(data_dir / f"{name}.npz", **arrays)
    assert available(name)
    data = load(name)
    assert (data.name, data.shape, data.stand_in) == (name, SHAPES[name], False)
    assert (data.x_train.shape, data.y_train.shape) == ((20, *SHAPES[name]), (20,))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.uint8, np.int32)
    np.testing.assert_array_equal(data.x_test.ravel(), arrays["x_test"].ravel())
    np.testing.assert_array_equal(data.y_train, arrays["y_train"].ravel())


@pytest.mark.parametrize("stem", ["celeba", "celeba64"])
def test_celeba_may_come_without_labels(stem, data_dir):
    faces = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((64, 64, 3), np.uint8)
    np.savez(data_dir / f"{stem}.npz", x_train=faces)
    data = load("celeba")
    assert data.class_names == ("face",)
    np.testing.assert_array_equal(data.x_train, faces[:18])
    np.testing.assert_array_equal(data.x_test, faces[18:])
    assert not data.y_train.any()


def test_an_npz_may_name_its_classes(data_dir):
    arrays = small_arrays("celeba") | {"y_train": np.arange(20) % 2, "y_test": np.arange(4) % 2}
    np.savez(data_dir / "celeba.npz", **arrays, class_names=np.array(["serious", "smiling"]))
    assert load("celeba").class_names == ("serious", "smiling")


def test_celeba_says_where_to_get_it(nothing_at_hand):
    assert not available("celeba")
    with pytest.raises(DataError) as error:
        load("celeba")
    assert is_one_sentence(error)
    for hint in (
        "Kaggle",
        "non-commercial",
        "passed on",
        "img_align_celeba",
        "celeba64.npz",
        "CGAN_DATA_DIR",
        "folder of your",
    ):
        assert hint in str(error.value)


def changed(**changes):
    arrays = small_arrays("cifar10") | changes
    return {key: array for key, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "hint"),
    [
        (changed(x_test=None), "lacks x_test"),
        (changed(x_train=None, y_train=None), "lacks x_train, y_train"),
        (changed(x_train=np.zeros((20, 28, 28), np.uint8)), "x_train is uint8 .20, 28, 28"),
        (changed(x_train=np.zeros((20, 32, 32, 3), np.float32)), "x_train is float32.*from_arrays"),
        (changed(x_train=np.zeros((0, 32, 32, 3), np.uint8)), "x_train is uint8 .0"),
        (changed(x_test=np.uint8(3)), "x_test is uint8"),
        (changed(y_train=np.zeros(19, int)), "y_train is int64 .19"),
        (changed(y_train=np.zeros(20)), "y_train is float64"),
        (changed(y_test=np.array([0, 1, 2, 10])), "y_test has labels from 0 to 10"),
        (changed(y_train=np.array([{}] * 20, object)), "pickle"),
    ],
)
def test_arrays_of_another_form_are_one_sentence(arrays, hint, data_dir):
    np.savez(data_dir / "cifar10.npz", **arrays)
    with pytest.raises(DataError, match=hint) as error:
        load("cifar10")
    assert is_one_sentence(error)
    assert "cifar10.npz" in str(error.value)


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: b"text", lambda whole: whole[: len(whole) // 2]])
def test_a_damaged_npz_is_one_sentence(damage, data_dir):
    path = data_dir / "mnist.npz"
    np.savez(path, **small_arrays("mnist"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="mnist.npz") as error:
        load("mnist")
    assert is_one_sentence(error)


def test_an_npz_without_faces_is_one_sentence(data_dir):
    np.savez(data_dir / "celeba64.npz", images=np.zeros(3))
    with pytest.raises(DataError, match="lacks x_train") as error:
        load("celeba")
    assert is_one_sentence(error)


@pytest.mark.parametrize("ask", [load, available, lambda name: load(name, stand_in="if_missing")])
def test_a_data_folder_that_does_not_exist_is_one_sentence(ask, data_dir):
    data_dir.rmdir()
    with pytest.raises(DataError, match="CGAN_DATA_DIR") as error:
        ask("mnist")
    assert is_one_sentence(error)


# --- the Keras cache and our own ---


def idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def write_originals(name, folder):
    """A small data set in the files of its authors; returns its arrays."""
    arrays = small_arrays(name)
    folder.mkdir(parents=True)
    if name == "mnist":
        np.savez(folder / "mnist.npz", **arrays)
    else:
        for key, file in (("train", "train"), ("test", "t10k")):
            idx(folder / f"{file}-images-idx3-ubyte.gz", arrays[f"x_{key}"])
            idx(folder / f"{file}-labels-idx1-ubyte.gz", arrays[f"y_{key}"])
    return arrays


@pytest.mark.parametrize(("name", "place"), [("mnist", "."), ("fashion_mnist", "fashion-mnist")])
def test_the_keras_cache(name, place, nothing_at_hand, monkeypatch):
    arrays = write_originals(name, nothing_at_hand / "keras" / "datasets" / place)
    assert available(name)
    with pytest.raises(DataError, match="does not belong to the original") as error:
        load(name)
    assert is_one_sentence(error)
    monkeypatch.setattr(datasets, "FINGERPRINTS", {})
    data = load(name)
    np.testing.assert_array_equal(data.x_train[..., 0], arrays["x_train"])
    np.testing.assert_array_equal(data.y_test, arrays["y_test"])


@pytest.mark.parametrize(
    "place",
    [
        "cifar-10-batches-py",
        "cifar-10-batches-py-target/cifar-10-batches-py",
        "cifar-10-batches-py-target_archive",
        "cifar-10-python.tar.gz",
    ],
)
def test_the_names_of_cifar_in_the_keras_cache(place, nothing_at_hand, monkeypatch):
    monkeypatch.delitem(FINGERPRINTS, "cifar10")  # the files here are small
    root = nothing_at_hand / "keras" / "datasets"
    folder = root / place if "." not in place and "_archive" not in place else nothing_at_hand / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    arrays = small_arrays("cifar10", n=4)
    batch = {b"data": arrays["x_test"].transpose(0, 3, 1, 2).reshape(4, -1), b"labels": arrays["y_test"].ravel()}
    for file in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (folder / file).write_bytes(pickle.dumps(batch, protocol=3))
    if not folder.is_relative_to(root):
        root.mkdir(parents=True)
        with tarfile.open(root / place, "w:gz") as tar:
            tar.add(folder, folder.name)
    assert available("cifar10")
    assert not available("cifar100")
    data = load("cifar10")
    assert len(data.x_train) == 20
    np.testing.assert_array_equal(data.x_test, arrays["x_test"])


def test_half_a_data_set_in_a_cache_does_not_count(nothing_at_hand):
    for folder in (nothing_at_hand / "keras/datasets/fashion-mnist", nothing_at_hand / "cache/fashion_mnist"):
        write_originals("fashion_mnist", folder)
        assert available("fashion_mnist")
        (folder / "t10k-labels-idx1-ubyte.gz").unlink()
        assert not available("fashion_mnist")


def test_a_file_put_into_our_cache_by_hand(nothing_at_hand, monkeypatch):
    arrays = write_originals("mnist", nothing_at_hand / "cache" / "mnist")
    digest = hashlib.sha256((nothing_at_hand / "cache/mnist/mnist.npz").read_bytes()).hexdigest()
    monkeypatch.setattr(datasets, "fetch", downloads.fetch)
    monkeypatch.setattr(datasets, "SOURCES", (RemoteFile("mnist", "mnist.npz", digest, ()),))
    monkeypatch.setattr(datasets, "FINGERPRINTS", {})
    assert available("mnist")
    np.testing.assert_array_equal(load("mnist").x_train[..., 0], arrays["x_train"])


def test_the_data_folder_comes_before_the_caches(data_dir, monkeypatch):
    monkeypatch.setattr(datasets, "FINGERPRINTS", {})
    write_originals("mnist", data_dir.parent / "keras" / "datasets")
    np.savez(data_dir / "mnist.npz", **small_arrays("mnist", n=7))
    assert len(load("mnist").x_train) == 7


def test_cache_dir(monkeypatch):
    monkeypatch.setenv("CGAN_CACHE_DIR", "/somewhere/else")
    assert datasets.cache_dir() == Path("/somewhere/else")
    monkeypatch.delenv("CGAN_CACHE_DIR")
    assert datasets.cache_dir() == Path.home() / ".cache" / "cgan_utils"


def test_other_images_under_the_name_of_a_data_set_are_someones_own(data_dir):
    arrays = small_arrays("mnist", n=8)
    np.savez(data_dir / "mnist.npz", **arrays)
    data = load("mnist")
    assert (find_evaluator(data), find_teacher(data), find_teacher(data.limited(3))) == (None, None, None)
    assert data.title != "MNIST" and data.folder == str((data_dir / "mnist.npz").resolve())
    assert load(data.folder).fingerprint == data.fingerprint


def test_the_original_images_are_the_data_set_from_any_file(data_dir, monkeypatch):
    np.savez(data_dir / "mnist.npz", **small_arrays("mnist", n=8))
    monkeypatch.setitem(FINGERPRINTS, "mnist", load("mnist").fingerprint)
    data = load("mnist")
    assert data.title == "MNIST" and not data.folder
    assert find_evaluator(data) and find_teacher(data.limited(3))


def test_an_npz_by_its_path_keeps_its_test_part(tmp_path):
    arrays = small_arrays("mnist", n=20)
    names = {"x_train": "train_images", "y_train": "train_labels", "x_test": "test_images", "y_test": "test_labels"}
    arrays |= {"y_train": np.arange(20) % 2, "y_test": np.arange(len(arrays["y_test"])) % 2}
    np.savez(tmp_path / "medical.npz", **{names[key]: array for key, array in arrays.items()})
    data = load(tmp_path / "medical.npz", size=28)
    np.testing.assert_array_equal(data.x_test[..., 0], arrays["x_test"].reshape(data.x_test.shape[:3]))
    assert (data.title, data.classes) == ("medical", 2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.h5", "parquet"),
        ("a.7z", "from_arrays"),
        ("a.tar.gz", "unpack"),
        ("a.png", "one picture"),
        ("https://a.org/b.zip", "download"),
    ],
)
def test_a_file_that_is_no_folder_is_said_to_be_what_it_is(name, said, tmp_path):
    (tmp_path / "a").with_suffix("." + name.split(".", 1)[1] if "/" not in name else ".x").touch()
    with pytest.raises(CganError, match=said) as error:
        load(name if "/" in name else tmp_path / name)
    assert is_one_sentence(error)


def test_labels_that_are_not_read_are_said(tmp_path, cache, capsys):
    for name in ("cat", "dog"):
        for i in range(8):
            (tmp_path / "images").mkdir(exist_ok=True)
            Image.new("L", (8, 8), i).save(tmp_path / "images" / f"{name}.{i:03}.png")
    (tmp_path / "train.csv").write_text("id,label\n")
    assert load(tmp_path / "images", size=8).classes == 1
    said = capsys.readouterr().err
    assert "train.csv are not read" in said and "cat, dog" in said


def test_a_zip_without_pictures_is_named_itself(tmp_path, cache):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(DataError) as error:
        load(tmp_path / "empty.zip")
    assert str(error.value).startswith(str(tmp_path / "empty.zip"))


def test_spaces_around_a_class_name_do_not_matter():
    names = ("cat ", " dog", "big bird")
    assert [class_index(name, names) for name in ("cat ", "cat", " dog", "DOG", "big bird ")] == [0, 0, 1, 1, 2]
    assert [class_index(name, ("cat", "cat ")) for name in ("cat", "cat ")] == [0, 1]
