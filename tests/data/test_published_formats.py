"""Data sets in the forms in which they are published: small files of each, and damaged ones."""

import gzip
import io
import json
import pickle
import struct
import sys
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from sentences import is_one_sentence

from cgan_utils.data import formats
from cgan_utils.data.datasets import load
from cgan_utils.data.sources import DataError
from cgan_utils.errors import CganError

random = np.random.RandomState(0)
GREY, COLOUR = (random.randint(0, 256, shape, np.uint8) for shape in ((40, 28, 28), (40, 32, 32, 3)))
GREY[0, 0, 0] = COLOUR[0, 0, 0, 0] = 255  # so that none looks like a faint picture
DIGITS = np.arange(40) % 10
CUT = 30  # the first pictures are for training, the others for testing


def halves(data, images, labels=DIGITS):
    """The data hold these pictures, divided as their files say."""
    images = images if images.ndim == 4 else images[..., None]
    np.testing.assert_array_equal(data.x_train, images[:CUT])
    np.testing.assert_array_equal(data.x_test, images[CUT:])
    np.testing.assert_array_equal(data.y_train, labels[:CUT])
    np.testing.assert_array_equal(data.y_test, labels[CUT:])


def whole(data, images, labels=DIGITS):
    """The data hold these pictures with these labels, divided in any way."""
    images = images if images.ndim == 4 else images[..., None]
    found = zip([*data.x_train, *data.x_test], [*data.y_train, *data.y_test], strict=True)
    given = zip(images, labels, strict=True)
    assert sorted((x.tobytes(), y) for x, y in found) == sorted((x.tobytes(), y) for x, y in given)
    assert len(data.x_test)


def idx(path, array):
    content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def idx_files(folder, images, labels, prefix="", test="t10k", end="-ubyte.gz"):
    for part, chosen in (("train", slice(CUT)), (test, slice(CUT, None))):
        idx(folder / f"{prefix}{part}-images-idx3{end}", images[chosen])
        idx(folder / f"{prefix}{part}-labels-idx1{end}", labels[chosen])


# yann.lecun.com/exdb/mnist: the layout of the four files; torchvision's mnist.py unpacks them.
@pytest.mark.parametrize("end", ["-ubyte.gz", "-ubyte"])
def test_idx_by_its_folder_or_by_one_of_its_files(tmp_path, end):
    idx_files(tmp_path / "MNIST", GREY, DIGITS, end=end)
    halves(load(tmp_path / "MNIST", size=28), GREY)
    data = load(tmp_path / "MNIST" / f"train-images-idx3{end}", size=28)
    halves(data, GREY)
    assert data.class_names == tuple("0123456789")


# torchvision's mnist.py: EMNIST's classes and files; python-mnist's loader: each picture is transposed.
def test_emnist_is_turned_upright_and_its_letters_have_names(tmp_path, capsys):
    letters = DIGITS + 1
    idx_files(tmp_path / "gzip", GREY.transpose(0, 2, 1), letters, "emnist-letters-", "test")
    data = load(tmp_path / "gzip", size=28)
    halves(data, GREY)
    assert data.class_names == tuple("ABCDEFGHIJ")
    assert "upright" in capsys.readouterr().err
    idx_files(tmp_path / "gzip", GREY.transpose(0, 2, 1), DIGITS + 36, "emnist-balanced-", "test")
    data = load(tmp_path / "gzip" / "emnist-balanced-test-images-idx3-ubyte.gz", size=28)
    assert data.class_names == tuple("abdefghnqr")
    with pytest.raises(DataError, match="several"):
        load(tmp_path / "gzip", size=28)


# Keras: mnist.npz; labels may stand in a column.
@pytest.mark.parametrize("column", [False, True])
def test_npz_of_keras(tmp_path, column):
    y = DIGITS[:, None] if column else DIGITS
    np.savez(tmp_path / "own.npz", x_train=GREY[:CUT], y_train=y[:CUT], x_test=GREY[CUT:], y_test=y[CUT:])
    halves(load(tmp_path / "own.npz", size=28), GREY)
    np.savez(tmp_path / "own.npz", x_train=GREY, y_train=y)
    whole(load(tmp_path / "own.npz", size=28), GREY)


# medmnist's dataset.py: train/val/test_images and _labels [N, 1]; of ChestMNIST [N, 14].
def test_medmnist(tmp_path):
    splits = {"train": slice(CUT), "val": slice(CUT, 35), "test": slice(35, None)}
    arrays = {f"{split}_images": COLOUR[chosen] for split, chosen in splits.items()}
    arrays |= {f"{split}_labels": DIGITS[chosen, None] for split, chosen in splits.items()}
    np.savez(tmp_path / "pathmnist.npz", **arrays)
    halves(load(tmp_path / "pathmnist.npz"), COLOUR)
    several = {f"{split}_labels": np.ones((len(DIGITS[chosen]), 14), int) for split, chosen in splits.items()}
    np.savez(tmp_path / "chestmnist.npz", **(arrays | several))
    with pytest.raises(DataError, match="several labels") as error:
        load(tmp_path / "chestmnist.npz")
    assert is_one_sentence(error)


# github.com/rois-codh/kmnist: one array, arr_0, in each file.
def test_kmnist(tmp_path):
    for part, chosen in (("train", slice(CUT)), ("test", slice(CUT, None))):
        np.savez(tmp_path / f"kmnist-{part}-imgs.npz", GREY[chosen])
        np.savez(tmp_path / f"kmnist-{part}-labels.npz", DIGITS[chosen])
    halves(load(tmp_path, size=28), GREY)
    halves(load(tmp_path / "kmnist-train-imgs.npz", size=28), GREY)


# Kaggle's Digit Recognizer: label, pixel0 …; zalando's fashion-mnist: label, pixel1 …; pjreddie's: no header.
@pytest.mark.parametrize("header", [["label", *(f"pixel{i}" for i in range(784))], None])
def test_csv(tmp_path, header, capsys):
    rows = np.column_stack([DIGITS, GREY.reshape(40, 784)])
    for part, chosen in (("train", slice(CUT)), ("test", slice(CUT, None))):
        pd.DataFrame(rows[chosen], columns=header).to_csv(
            tmp_path / f"mnist_{part}.csv", index=False, header=bool(header)
        )
    halves(load(tmp_path, size=28), GREY)
    whole(load(tmp_path / "mnist_train.csv", size=28), GREY[:CUT], DIGITS[:CUT])
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    capsys.readouterr()
    halves(load(tmp_path, size=28), GREY)
    assert "sample_submission.csv" in capsys.readouterr().err


def test_csv_of_names_with_the_label_at_the_end(tmp_path):
    table = pd.DataFrame(GREY.reshape(40, 784))
    table["class"] = np.array(["cat", "dog"])[DIGITS % 2]
    table.to_csv(tmp_path / "pets.csv", index=False)
    data = load(tmp_path / "pets.csv", size=28)
    whole(data, GREY, DIGITS % 2)
    assert data.class_names == ("cat", "dog")


# github.com/googlecreativelab/quickdraw-dataset: uint8 [N, 784] for each class.
def test_quick_draw(tmp_path):
    for i, name in enumerate(("bat", "full_numpy_bitmap_cat")):
        np.save(tmp_path / f"{name}.npy", GREY[i == DIGITS % 2].reshape(-1, 784))
    data = load(tmp_path, size=28)
    whole(data, GREY, DIGITS % 2)
    assert data.class_names == ("bat", "cat")


def png(array):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


# datasets' features/image.py: struct<bytes: binary, path: string>; arrow_writer.py: the metadata b"huggingface".
@pytest.mark.parametrize("named", [True, False])
def test_parquet_of_hugging_face(tmp_path, named):
    pa = pytest.importorskip("pyarrow", reason="the extra 'data' reads parquet files")
    import pyarrow.parquet as parquet

    names = [f"name {i}" for i in range(10)]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    for part, chosen in (("train", slice(CUT)), ("test", slice(CUT, None))):
        images = [{"bytes": png(image), "path": None} for image in COLOUR[chosen]]
        table = pa.table(
            {"image": images, "label": DIGITS[chosen]},
            schema=pa.schema(
                {"image": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.int64()},
                metadata={"huggingface": json.dumps({"info": {"features": features}})} if named else None,
            ),
        )
        (tmp_path / "data").mkdir(exist_ok=True)
        parquet.write_table(table, tmp_path / "data" / f"{part}-00000-of-00001.parquet")
    data = load(tmp_path)
    halves(data, COLOUR)
    assert data.class_names == tuple(names if named else "0123456789")


def test_parquet_that_pandas_wrote_and_that_has_a_damaged_picture(tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="the extra 'data' reads parquet files")
    rows = [{"bytes": png(image), "path": "a.png"} for image in GREY]
    rows[7]["bytes"] = b"no picture"
    pd.DataFrame({"image": rows, "label": DIGITS}).query("label >= 0").to_parquet(tmp_path / "few.parquet")
    kept = np.arange(40) != 7
    whole(load(tmp_path / "few.parquet", size=28), GREY[kept], DIGITS[kept])
    assert "1 picture" in capsys.readouterr().err


def test_without_pyarrow_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)  # importing it raises ImportError
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="parquet.*data") as error:
        load(tmp_path / "a.parquet")
    assert is_one_sentence(error)


# torchvision's svhn.py: X [32, 32, 3, N], y [N, 1], where 10 is the digit 0.
def test_svhn(tmp_path):
    for part, chosen in (("train", slice(CUT)), ("test", slice(CUT, None))):
        y = np.where(DIGITS == 0, 10, DIGITS)[chosen, None]
        savemat(tmp_path / f"{part}_32x32.mat", {"X": COLOUR[chosen].transpose(1, 2, 3, 0), "y": y})
    data = load(tmp_path)
    halves(data, COLOUR)
    assert data.class_names == tuple("0123456789")


# torchvision's stl10.py: uint8 [N, 3, 96, 96], each plane by columns; labels from 1; class_names.txt.
def test_stl10(tmp_path):
    images = random.randint(0, 256, (20, 96, 96, 3), np.uint8)
    for part, chosen in (("train", slice(10)), ("test", slice(10, None))):
        images[chosen].transpose(0, 3, 2, 1).tofile(tmp_path / f"{part}_X.bin")
        (np.arange(10, dtype=np.uint8) + 1).tofile(tmp_path / f"{part}_y.bin")
    (tmp_path / "class_names.txt").write_text("\n".join(f"thing{i}" for i in range(10)))
    data = load(tmp_path, size=96)
    np.testing.assert_array_equal(data.x_train, images[:10])
    np.testing.assert_array_equal(data.x_test, images[10:])
    assert data.class_names[9] == "thing9" and data.y_train.tolist() == list(range(10))
    assert load(tmp_path, size=32).shape == (32, 32, 3)


def cifar_files(pickled):
    """{name: content} of CIFAR-10 (cs.toronto.edu/~kriz/cifar.html): rows of 3,072 bytes, red, green, blue."""
    files = {}
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        chosen = slice(6 * i, 6 * i + 6) if i < 5 else slice(CUT, None)
        rows, y = COLOUR[chosen].transpose(0, 3, 1, 2).reshape(-1, 3072), DIGITS[chosen]
        if pickled:
            files[name] = pickle.dumps({b"data": rows, b"labels": y.tolist()}, protocol=2)
        else:
            files[f"{name}.bin"] = np.column_stack([y.astype(np.uint8), rows]).tobytes()
    return files


@pytest.mark.parametrize("pickled", [True, False])
def test_cifar_unpacked_and_packed(tmp_path, pickled, cache):
    files = cifar_files(pickled)
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    data = load(folder)
    halves(data, COLOUR)
    assert data.class_names[0] == "airplane"
    packed = tar(tmp_path / "small.tar.gz", {f"cifar-10/{name}": content for name, content in files.items()})
    halves(load(packed), COLOUR)


def tar(path, files):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


# webdataset's tariterators.py: samples are files with one name up to its first dot.
def test_webdataset(tmp_path):
    for part, chosen in (("train", range(CUT)), ("val", range(CUT, 40))):
        files = {}
        for i in chosen:
            label = (
                {"cls": str(DIGITS[i]).encode()} if i % 2 else {"json": json.dumps({"label": int(DIGITS[i])}).encode()}
            )
            files |= {f"{i:04}.{end}": content for end, content in ({"png": png(COLOUR[i])} | label).items()}
        tar(tmp_path / f"pets-{part}-000000.tar", files)
    halves(load(tmp_path), COLOUR)
    whole(load(tmp_path / "pets-train-000000.tar"), COLOUR[:CUT], DIGITS[:CUT])


@pytest.mark.parametrize("end", [".tar.gz", ".tar", ".tgz"])
def test_tar_of_a_folder(tmp_path, end, cache):
    files = {f"pets/{'cat' if y % 2 else 'dog'}/{i}.png": png(COLOUR[i]) for i, y in enumerate(DIGITS)}
    data = load(tar(tmp_path / f"pets{end}", files))
    assert data.class_names == ("cat", "dog") and data.name == "pets"
    whole(data, COLOUR, 1 - DIGITS % 2)


def test_zip_of_published_files(tmp_path, cache):
    idx_files(tmp_path / "raw", GREY, DIGITS)
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        for file in (tmp_path / "raw").iterdir():
            archive.write(file, f"raw/{file.name}")
    halves(load(tmp_path / "raw.zip", size=28), GREY)


def test_images_are_scaled_to_the_size_asked_for(tmp_path):
    np.savez(tmp_path / "own.npz", x_train=np.full((20, 10, 20), 80, np.uint8), y_train=np.arange(20) % 2)
    data = load(tmp_path / "own.npz", size=16)
    assert data.shape == (16, 16, 1) and (data.x_train == 80).all()


def damaged(folder):
    """Files that are cut, mislabelled, too large, or of no known form: {what: (file, its content)}."""
    whole = io.BytesIO()
    np.savez(whole, x_train=GREY, y_train=DIGITS)
    few = io.BytesIO()
    np.savez(few, x_train=GREY, y_train=DIGITS[:7])
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**8, 28, 28)})
    objects = io.BytesIO()
    np.savez(objects, x_train=np.array([{}], object))
    return {
        "cut npz": ("a.npz", whole.getvalue()[:3000]),
        "fewer labels": ("a.npz", few.getvalue()),
        "pickled npz": ("a.npz", objects.getvalue()),
        "cut idx": ("train-images-idx3-ubyte", struct.pack(">HBB3I", 0, 8, 3, 40, 28, 28) + bytes(99)),
        "huge idx": ("train-images-idx3-ubyte", struct.pack(">HBB3I", 0, 8, 3, 2**31, 28, 28)),
        "cut npy": ("cat.npy", header.getvalue()),
        "empty csv": ("a.csv", b""),
        "text": ("a.csv", b"name,age\nAna,3\n"),
        "cut csv": ("a.csv", (",".join(["1"] * 785) + "\n1,2\n").encode()),
        "no parquet": ("a.parquet", b"PAR1"),
        "no mat": ("a.mat", b"MATLAB 5.0"),
        "cut tar": ("a.tar.gz", gzip.compress(bytes(700))[:20]),
        "no tar": ("a.tar", b"nothing"),
        "unknown": ("a.h5", b"\x89HDF"),
    }


@pytest.mark.parametrize("what", damaged(None))
def test_a_bad_file_gets_one_sentence(tmp_path, what, cache):
    if what == "no parquet":
        pytest.importorskip("pyarrow", reason="the extra 'data' reads parquet files")
    name, content = damaged(tmp_path)[what]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CganError, match=name[:5]) as error:
        load(tmp_path / name)
    assert is_one_sentence(error)


def test_a_pickle_runs_nothing(tmp_path):
    for name, content in cifar_files(True).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "test_batch").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    with pytest.raises(DataError, match="system"):
        load(tmp_path)


def test_what_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "LARGEST", 10_000)
    np.savez_compressed(tmp_path / "large.npz", x_train=np.zeros((40, 28, 28), np.uint8), y_train=DIGITS)
    np.save(tmp_path / "large.npy", GREY)
    for name in ("large.npz", "large.npy"):
        with pytest.raises(DataError, match="GB") as error:
            load(tmp_path / name)
        assert is_one_sentence(error)


# Kaggle's and Hugging Face's imagefolder: a table of file names and labels beside the pictures, or in their folder.
@pytest.mark.parametrize("place", ["beside", "within", "elsewhere"])
def test_a_folder_with_a_table_of_labels(tmp_path, place, cache):
    folder = tmp_path / "photos" / "images"
    folder.mkdir(parents=True)
    for i, image in enumerate(COLOUR):
        (folder / f"{i:02}.png").write_bytes(png(image))
    rows = "".join(f"{i:02},{'cat' if i % 2 else 'dog'}\n" for i in range(40))
    table = {"beside": folder.parent / "train.csv", "within": folder / "labels.csv", "elsewhere": tmp_path / "my.csv"}
    table[place].write_text("id,breed\n" + rows)
    data = load(folder, labels=table[place] if place == "elsewhere" else None)
    assert data.class_names == ("cat", "dog")
    whole(data, COLOUR, 1 - DIGITS % 2)
    if place == "beside":
        whole(load(folder.parent), COLOUR, 1 - DIGITS % 2)
    table[place].write_text("id,breed\n" + rows.replace("cat", "ape"))
    assert load(folder, labels=table[place]).class_names == ("ape", "dog")
    table[place].write_text("id,breed\n" + rows[:-20])
    with pytest.raises(DataError, match=r"3\d.png") as error:
        load(folder, labels=table[place])
    assert is_one_sentence(error)


def test_classes_in_file_names(tmp_path, cache):
    for part, chosen in (("Training", range(CUT)), ("dev", range(CUT, 40))):
        (tmp_path / part).mkdir()
        for i in chosen:
            (tmp_path / part / f"{'cat' if i % 2 else 'big_dog'}.{i:04}.png").write_bytes(png(COLOUR[i]))
    data = load(tmp_path, labels="from-name")
    assert data.class_names == ("big_dog", "cat") and data.labels == "from-name"
    assert (len(data.x_train), len(data.x_test)) == (CUT, 40 - CUT)
    whole(data, COLOUR, DIGITS % 2)


def test_parts_by_any_of_their_names(tmp_path, cache):
    for part, other in (("TRAINING", "Testing"), ("train", "dev")):
        for i, image in enumerate(COLOUR):
            folder = tmp_path / part / (part if i < CUT else other) / str(DIGITS[i] % 2)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{i}.png").write_bytes(png(image))
        data = load(tmp_path / part)
        assert (len(data.x_train), data.class_names) == (CUT, ("0", "1"))
