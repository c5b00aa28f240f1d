"""Loading data sets: where they are looked for, what is checked, stand-ins, folders of pictures."""

import hashlib
import os
import re
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from arrays import small_arrays
from PIL import Image
from sentences import is_one_sentence

from cgan_utils.data import datasets
from cgan_utils.data import sources as downloads
from cgan_utils.data.datasets import available, load
from cgan_utils.data.image_dataset import ImageDataset, class_index
from cgan_utils.data.known import CIFAR100_SUPERCLASSES, CLASS_NAMES, FINGERPRINTS, NAMES, SHAPES
from cgan_utils.data.sources import DataError, RemoteFile
from cgan_utils.errors import CganError

REAL = {name: available(name) for name in NAMES}  # asked before `nothing_at_hand` hides them


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


def test_limited_keeps_an_image_of_each_class_where_it_can():
    data, labels = small_dataset(20), np.array([0] * 9 + [1, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0])
    data = replace(data, y_train=labels.astype("int32"))
    small = data.limited(5)
    assert small.y_train.tolist() == [0, 0, 0, 1, 2]
    np.testing.assert_array_equal(small.x_train, data.x_train[[0, 1, 2, 9, 12]])
    assert data.limited(2).y_train.tolist() == [0, 0]


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


@pytest.mark.parametrize(("name", "place"), [("my_pictures", ""), ("deep/my_pictures", "deep/my_pictures")])
def test_a_folder_that_is_not_there_is_told_with_the_place_that_was_looked_at(name, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CganError, match=re.escape(str(tmp_path / place))):
        load(name)


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
    assert data.title == "mnist (own pictures)"


def test_another_word_for_stand_in_is_refused():
    with pytest.raises(CganError, match="if_missing") as error:
        load("mnist", stand_in="maybe")
    assert is_one_sentence(error)


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
