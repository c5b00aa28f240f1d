"""Loading data sets: where they are looked for, what is checked, stand-ins, folders of pictures."""

import gzip
import hashlib
import os
import pickle
import subprocess
import sys
import tarfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgan_utils.data import datasets
from cgan_utils.data import sources as downloads
from cgan_utils.data.datasets import ImageDataset, available, class_index, load
from cgan_utils.data.known import CIFAR100_SUPERCLASSES, CLASS_NAMES, FINGERPRINTS, NAMES, SHAPES
from cgan_utils.data.sources import DataError, RemoteFile
from cgan_utils.errors import CganError

REAL = {name: available(name) for name in NAMES}  # asked before `nothing_at_hand` hides them


@pytest.fixture
def nothing_at_hand(monkeypatch, tmp_path):
    """No file of any data set on this machine, and no network."""
    monkeypatch.delenv("CGAN_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "fetch", lambda *_: pytest.fail("a download was tried"))
    return tmp_path


@pytest.fixture
def data_dir(nothing_at_hand, monkeypatch):
    folder = nothing_at_hand / "data"
    folder.mkdir()
    monkeypatch.setenv("CGAN_DATA_DIR", str(folder))
    return folder


def is_one_sentence(error):
    text = str(error.value)
    return "\n" not in text and text.endswith((".", "?"))


def small_arrays(name, n=20):
    """As in the .npz files of Keras: MNIST without a channel axis, CIFAR with labels in a column."""
    random, shape = np.random.RandomState(0), SHAPES[name]
    shape = shape[:2] if shape[2] == 1 else shape
    x, y = random.randint(0, 256, (n, *shape), np.uint8), np.arange(n, dtype=np.uint8) % len(CLASS_NAMES[name])
    y = y[:, None] if name.startswith("cifar") else y
    return {"x_train": x, "y_train": y, "x_test": x[:4], "y_test": y[:4]}


def small_dataset(n=20):
    return load("cifar10", stand_in=True).limited(n)


# --- the data set itself ---


def test_names_and_classes():
    assert NAMES == ("mnist", "fashion_mnist", "cifar10", "cifar100", "celeba")
    assert [len(CLASS_NAMES[name]) for name in NAMES] == [10, 10, 10, 100, 1]
    fine = CLASS_NAMES["cifar100"]
    some = {0: "apple", 1: "aquarium_fish", 47: "maple_tree", 58: "pickup_truck", 99: "worm"}
    assert {k: fine[k] for k in some} == some
    assert len(set(fine)) == 100
    assert [len(names) for names in CIFAR100_SUPERCLASSES.values()] == [5] * 20


def test_limited_takes_the_first():
    data, small = load("cifar10", stand_in=True), small_dataset(20)
    assert (len(small.x_train), len(small.y_train), len(small.x_test), len(small.y_test)) == (20, 20, 20, 20)
    np.testing.assert_array_equal(small.x_train, data.x_train[:20])
    assert (small.name, small.class_names, small.stand_in) == (data.name, data.class_names, True)
    assert len(data.limited(10**6).x_test) == len(data.x_test)
    with pytest.raises(CganError) as error:
        data.limited(0)
    assert is_one_sentence(error)


def test_the_fingerprint_follows_the_data():
    data = small_dataset()
    prints = {data.fingerprint, small_dataset(19).fingerprint}
    for key in ("x_train", "y_train", "x_test", "y_test"):
        arrays = {k: getattr(data, k).copy() for k in ("x_train", "y_train", "x_test", "y_test")}
        arrays[key].flat[0] ^= 1
        prints.add(ImageDataset("cifar10", **arrays, class_names=data.class_names).fingerprint)
    assert len(prints) == 6
    assert small_dataset().fingerprint == data.fingerprint
    assert len(bytes.fromhex(data.fingerprint)) == 32


@pytest.mark.parametrize(
    ("value", "index"), [("cat", 3), ("CAT", 3), (" cat ", 3), (3, 3), ("3", 3), (np.int64(3), 3), (0, 0), ("9", 9)]
)
def test_class_index(value, index):
    assert class_index(value, CLASS_NAMES["cifar10"]) == index
    assert small_dataset().class_index(value) == index


def test_a_digit_is_a_name_before_it_is_an_index():
    assert class_index("7", CLASS_NAMES["mnist"]) == 7
    assert class_index("2", ("3", "2", "1")) == 1
    assert class_index(2, ("3", "2", "1")) == 1
    assert class_index(2, ("c", "b", "a")) == 2


def test_an_exact_name_wins_over_another_case():
    assert class_index("a", ("A", "a")) == 1


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("catt", "mean cat"),
        ("zebra!", "airplane"),
        ("10", "0 to 9"),
        (10, "0 to 9"),
        (-1, "0 to 9"),
        ("-1", "0 to 9"),
        (1.5, "airplane"),
    ],
)
def test_a_wrong_class_is_one_sentence(value, hint):
    with pytest.raises(CganError, match=hint) as error:
        class_index(value, CLASS_NAMES["cifar10"])
    assert is_one_sentence(error)


def test_the_import_is_light():
    code = "import sys, cgan_utils.data.datasets; "
    code += "print({'keras', 'tensorflow', 'torch', 'sklearn', 'PIL'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


# --- stand-ins ---


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_has_the_right_form_and_says_what_it_is(name, nothing_at_hand):
    data = load(name, stand_in=True)
    assert data.shape == SHAPES[name]
    assert data.class_names == CLASS_NAMES[name]
    assert data.title.endswith(" (stand-in)")
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert (x.dtype, y.dtype) == (np.uint8, np.int32)
        assert len(x) == len(y)
        assert set(y) == set(range(data.classes))
    assert load(name, stand_in=True).fingerprint == data.fingerprint


def test_stand_in_sizes():
    sizes = {name: [len(x) for x in (load(name, True).x_train, load(name, True).x_test)] for name in NAMES}
    assert sizes == {
        "mnist": [1617, 180],
        "fashion_mnist": [600, 100],
        "cifar10": [600, 100],
        "cifar100": [1200, 400],
        "celeba": [60, 10],
    }


def test_stand_ins_are_the_same_on_every_machine():
    # MNIST is left out: its scaling is Pillow's.
    prints = {name: load(name, stand_in=True).fingerprint[:8] for name in ("fashion_mnist", "cifar10", "cifar100")}
    assert prints == {"fashion_mnist": "ba9f27ef", "cifar10": "95ffcfec", "cifar100": "cc17b867"}


def test_drawn_classes_can_be_told_apart():
    data = load("cifar100", stand_in=True)
    means = np.stack([data.x_train[data.y_train == k].mean(axis=0) for k in range(100)]).reshape(100, -1)
    tests = data.x_test[:100].reshape(100, -1)
    nearest = ((tests[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == data.y_test[:100]).mean() > 0.5  # by chance: 0.01


def test_a_stand_in_is_never_silent(nothing_at_hand, monkeypatch, capsys):
    assert load("mnist", stand_in="if_missing").stand_in
    assert capsys.readouterr().err == "MNIST is not on this machine: a small stand-in takes its place.\n"
    monkeypatch.setattr(datasets, "fetch", downloads.fetch)
    monkeypatch.setattr(datasets, "SOURCES", (RemoteFile("mnist", "mnist.npz", "", ()),))
    with pytest.raises(DataError, match="stand_in=True") as error:
        load("mnist")
    assert is_one_sentence(error)


def test_if_missing_prefers_the_real_files(data_dir):
    np.savez(data_dir / "mnist.npz", **small_arrays("mnist"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load("mnist", stand_in="if_missing")
    assert not data.stand_in
    assert data.title == "MNIST"


def test_another_word_for_stand_in_is_refused():
    with pytest.raises(CganError, match="if_missing") as error:
        load("mnist", stand_in="maybe")
    assert is_one_sentence(error)


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
def test_the_names_of_cifar_in_the_keras_cache(place, nothing_at_hand):
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


# --- folders of pictures: see test_folders.py too ---


@pytest.mark.parametrize(
    ("name", "hint"),
    [("mnits", "mean mnist"), (os.path.join("no", "such"), "no folder"), ("", "choose one of|no folder|no pictures")],
)
def test_an_unknown_name_is_one_sentence(name, hint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CganError, match=hint) as error:
        load(name)
    assert is_one_sentence(error)


@pytest.fixture
def pictures(nothing_at_hand):
    """A folder of twelve pictures, of which the third is damaged, in the data folder."""
    faces = nothing_at_hand / "pictures"
    faces.mkdir()
    for i in range(12):
        Image.new("RGB", (178, 218), (20 * i, 0, 0)).save(faces / f"{i:06}.png")
    (faces / "000002.png").write_bytes(b"no picture")
    return faces


def test_a_folder_is_a_data_set_of_its_own(pictures, capsys):
    assert available(pictures)
    data = load(str(pictures), size=16)
    why = "cannot identify image file '000002.png'"
    assert capsys.readouterr().err == f"1 of 12 files could not be read and was left out: 000002.png ({why}).\n"
    assert (data.name, data.title, data.class_names, data.stand_in) == ("pictures", "pictures", ("pictures",), False)
    assert (data.shape, len(data.x_train), len(data.x_test)) == ((16, 16, 3), 10, 1)
    assert load(pictures).shape == (32, 32, 3)
    assert load(pictures, stand_in="if_missing", size=16).fingerprint == data.fingerprint


def test_the_fingerprint_of_a_folder_is_that_of_its_arrays(pictures):
    data = load(pictures, size=16)
    arrays = {key: np.asarray(getattr(data, key)) for key in ("x_train", "y_train", "x_test", "y_test")}
    assert data.fingerprint == replace(data, **arrays).fingerprint
    assert data.limited(4).fingerprint == replace(data, **arrays).limited(4).fingerprint != data.fingerprint


def test_a_folder_has_no_stand_in(pictures):
    with pytest.raises(CganError, match="no stand-in") as error:
        load(pictures, stand_in=True)
    assert is_one_sentence(error)


@pytest.mark.parametrize("place", datasets.CELEBA_FOLDERS)
def test_celeba_may_be_a_folder(place, pictures, data_dir, capsys):
    assert not available("celeba")
    (data_dir / place).parent.mkdir(parents=True, exist_ok=True)
    pictures.rename(data_dir / place)
    assert available("celeba")
    data = load("celeba", stand_in="if_missing")
    assert "1 of 12 files" in capsys.readouterr().err
    assert (data.title, data.class_names, data.shape) == ("CelebA", ("face",), SHAPES["celeba"])
    assert (len(data.x_train), len(data.x_test)) == (10, 1)
    np.savez(data_dir / "celeba64.npz", x_train=np.zeros((20, 64, 64, 3), np.uint8))
    assert len(load("celeba").x_train) == 18


# --- the real thing ---


def real(name):
    if not REAL[name]:
        pytest.skip(f"{name} is not on this machine")
    return load(name)


COUNTS = {
    "mnist": ([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], (60000, 10000)),
    "fashion_mnist": ([6000] * 10, (60000, 10000)),
    "cifar10": ([5000] * 10, (50000, 10000)),
    "cifar100": ([500] * 100, (50000, 10000)),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", COUNTS)
def test_real_sizes_and_label_counts(name):
    data = real(name)
    per_class, sizes = COUNTS[name]
    assert data.shape == SHAPES[name]
    assert (len(data.x_train), len(data.x_test)) == sizes
    assert np.bincount(data.y_train).tolist() == per_class


@pytest.mark.real_data
@pytest.mark.parametrize("name", FINGERPRINTS)
def test_real_fingerprints(name):
    assert real(name).fingerprint == FINGERPRINTS[name]


@pytest.mark.real_data
def test_real_mnist_is_the_original():
    digest = hashlib.sha256(real("mnist").x_train.tobytes()).hexdigest()
    assert digest == "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"


@pytest.mark.real_data
def test_real_cifar_channel_means():
    mean = real("cifar10").x_train.mean(axis=(0, 1, 2)) / 255
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=1e-4)  # as published


@pytest.mark.real_data
def test_real_faces():
    data = real("celeba")
    assert data.shape == (64, 64, 3)
    assert data.class_names == ("face",)
