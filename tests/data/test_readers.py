"""The forms in which the data sets are published: .npz, IDX, and the archives of CIFAR."""

import gzip
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from sentences import is_one_sentence

from cgan_utils.data import sources as downloads
from cgan_utils.data.sources import DataError, read_cifar, read_idx, read_npz


def test_npz_refuses_pickles(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.array([{}], object))
    with pytest.raises(DataError, match="x.npz") as error:
        read_npz(tmp_path / "x.npz")
    assert is_one_sentence(error)


def idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))
    return path


def test_idx_files_are_read(tmp_path):
    arrays = [np.arange(n, dtype=np.uint8).reshape(shape) for n, shape in ((12, (2, 2, 3)), (2, (2,)))]
    paths = [idx(tmp_path / f"{i}.gz", array) for i, array in enumerate(2 * arrays)]
    found = read_idx(*paths)
    assert list(found) == ["x_test", "y_test", "x_train", "y_train"]
    for array, expected in zip(found.values(), 2 * arrays, strict=True):
        np.testing.assert_array_equal(array, expected)


# Named, because gzip writes the time into its header, and a test's name must be the same in every process.
DAMAGED = {
    "nothing": b"",
    "plain text": b"plain text",
    "floats": gzip.compress(b"\0\0\x0d\1" + bytes(20)),
    "no header": gzip.compress(b""),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_idx_file_is_named(tmp_path, content):
    (tmp_path / "labels.gz").write_bytes(content)
    with pytest.raises(DataError, match="labels.gz") as error:
        read_idx(*[tmp_path / "labels.gz"] * 4)
    assert is_one_sentence(error)


PIXELS = np.random.RandomState(1).randint(0, 256, (3, 3, 32, 32), np.uint8)


LABELS = {"cifar10": [3, 1, 2], "cifar100": [99, 0, 50]}


class Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did, which made the CIFAR files: bytes and text alike as BINSTRING."""

    def save_string(self, value):
        data = value if isinstance(value, bytes) else value.encode()
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(value)

    dispatch = pickle._Pickler.dispatch | {bytes: save_string, str: save_string}


def python2_pickle(value):
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue().replace(b"numpy._core.", b"numpy.core.")


def batch_files(name, pickled):
    """The files of a CIFAR archive, each with the same three images."""
    rows = PIXELS.reshape(3, -1)
    if pickled:
        key = b"labels" if name == "cifar10" else b"fine_labels"
        blob, suffix = python2_pickle({b"data": rows, key: LABELS[name], b"coarse_labels": [7, 7, 7]}), ""
    else:
        coarse = [] if name == "cifar10" else [np.full((3, 1), 7, np.uint8)]
        labels = np.array(LABELS[name], np.uint8)[:, None]
        blob, suffix = np.hstack([*coarse, labels, rows]).tobytes(), ".bin"
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"] if name == "cifar10" else ["train", "test"]
    return {file + suffix: blob for file in names}


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, blob in files.items():
            member = tarfile.TarInfo(f"inner/{name}")
            member.size = len(blob)
            tar.addfile(member, io.BytesIO(blob))
    return path


@pytest.mark.parametrize("version", ["binary", "python"])
@pytest.mark.parametrize(("name", "stem"), [("cifar10", "cifar-10"), ("cifar100", "cifar-100")])
def test_cifar_is_read_from_archives_and_folders(tmp_path, name, stem, version):
    files = batch_files(name, pickled=version == "python")
    archive = write_archive(tmp_path / f"{stem}-{version}.tar.gz", files)
    folder = tmp_path / f"{stem}-{version}"
    (folder / "inner").mkdir(parents=True)
    for file, blob in files.items():
        (folder / "inner" / file).write_bytes(blob)
    batches = 5 if name == "cifar10" else 1
    for path in (archive, folder):
        arrays = read_cifar(name, path)
        np.testing.assert_array_equal(arrays["x_train"], np.tile(PIXELS.transpose(0, 2, 3, 1), (batches, 1, 1, 1)))
        np.testing.assert_array_equal(arrays["y_train"], LABELS[name] * batches)
        np.testing.assert_array_equal(arrays["x_test"], PIXELS.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(arrays["y_test"], LABELS[name])


def test_pickles_of_today_are_read():
    blob = pickle.dumps({b"data": PIXELS, b"labels": [1]}, protocol=3)
    pixels, labels = downloads._pickled_batch(blob, b"labels")
    np.testing.assert_array_equal(pixels, PIXELS)
    assert labels == [1]


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("made_by_a_pickle",)


def test_a_pickle_that_runs_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = batch_files("cifar10", pickled=True) | {"data_batch_3": pickle.dumps(Malicious())}
    with pytest.raises(DataError, match="mkdir") as error:
        read_cifar("cifar10", write_archive(tmp_path / "cifar-10-python.tar.gz", files))
    assert is_one_sentence(error)
    assert not (tmp_path / "made_by_a_pickle").exists()


def test_an_incomplete_archive_is_named(tmp_path):
    files = batch_files("cifar10", pickled=False)
    del files["data_batch_4.bin"]
    with pytest.raises(DataError, match="lacks data_batch_4.bin") as error:
        read_cifar("cifar10", write_archive(tmp_path / "cifar-10-binary.tar.gz", files))
    assert is_one_sentence(error)
