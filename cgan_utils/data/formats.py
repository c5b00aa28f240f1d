"""The forms in which data sets are published, each with what reads its files; see `FORMS`.

No code of a file is run: nothing is unpickled but the archives of CIFAR, by the restricted reader of `sources`.
"""

import gzip
import io
import itertools
import json
import math
import re
import string
import struct
import tarfile
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import CganError, notice, one_line, to_install
from . import pictures
from .known import CLASS_NAMES
from .listing import LABELS, shown
from .sources import DataError, naming, read_cifar

LARGEST = 8 * 10**9  # bytes of the arrays of a data set, unpacked: they are held in memory
PIECE = 500  # images or rows that are turned at a time
TEST = r"(?P<test>test(ing)?|t10k|val(id(ation)?)?|dev)"
SPLIT = re.compile(rf"(?<![a-z])({TEST}|train(ing)?|extra)(?![a-z])")  # a part, in the name of a file or of an array
KIND = re.compile(r"(images?|imgs?|(?P<labels>labels?|idx1|(?<![a-z])y(?![a-z]))|idx[34]|(?<![a-z])x(?![a-z]))[-_.]?")


class Part(NamedTuple):
    """Images [N, H, W(, C)], their labels [N] or None, and whether they are for testing (None: not said)."""

    images: np.ndarray
    labels: np.ndarray | None
    test: bool | None


def for_test(name):
    """Whether a file or array is for testing, by its name or its folder's; None where neither says it."""
    words = list(SPLIT.finditer(name.lower()))
    return bool(words[-1]["test"]) if words else None


def set_of(name):
    """What names of files of one data set have in common: neither the part, nor whether they hold images or labels."""
    return KIND.sub("", SPLIT.sub("", re.sub(r"\.gz$", "", name.lower())))


def check_bytes(count):
    if count > LARGEST:
        raise CganError(f"It holds {count / 1e9:.1f} GB of images, more than {LARGEST // 10**9}; take a part of it.")


def _pairs(arrays):
    """Arrays of images and of labels, by the names of their files → parts."""
    images, labels = {}, {}
    for name, array in arrays.items():
        word = KIND.search(name.lower())
        (labels if word and word["labels"] else images)[name] = array
    if len({set_of(name) for name in images}) > 1:
        raise CganError(
            f"Here are several data sets, such as {' and '.join(list(images)[:2])}; name one of these files."
        )
    parts = []
    for name, array in images.items():
        own = [labels[other] for other in labels if for_test(other) is for_test(name)]
        if len(own) != 1:
            raise CganError(f"{name} has no file of labels beside it; put it there.")
        parts.append(Part(array, own[0], for_test(name)))
    if not parts:
        raise CganError(f"{next(iter(labels))} has no file of images beside it; put it there.")
    return parts


# Each reader takes {name: file}, the size and the background; it returns parts, and the names of the classes or None.


def _idx(files, *_):
    """MNIST's format, big-endian: 0, 0, kind (8: bytes), rank, the shape, the values (yann.lecun.com/exdb/mnist)."""
    arrays = {}
    for name, file in files.items():
        plain = re.sub(r"\.gz$", "", name)
        if plain not in arrays:  # torchvision leaves the unpacked file beside the packed one
            arrays[plain] = _idx_array(file)
    parts, names = _pairs(arrays), None
    if any("emnist" in name.lower() for name in arrays):  # not KMNIST, nor what is derived from MNIST otherwise
        notice("EMNIST's files hold each picture with rows and columns exchanged; they are turned upright.")
        parts = [part._replace(images=part.images.transpose(0, 2, 1)) for part in parts]
        names = _emnist_names(" ".join(arrays).lower())
    return parts, names


def _idx_array(path):
    with naming(shown(path)), (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        zero, kind, rank = struct.unpack(">HBB", file.read(4))
        if (zero, kind) != (0, 8) or not 1 <= rank <= 4:
            raise ValueError("it is not an idx file of unsigned bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        check_bytes(math.prod(shape))
        return np.frombuffer(file.read(math.prod(shape)), np.uint8).reshape(shape)


def _emnist_names(files):
    """The classes of EMNIST, which numbers its letters from 1; 15 small letters are not told from the large ones."""
    signs = sorted(string.digits + string.ascii_letters)
    if "letters" in files:
        return ["", *string.ascii_uppercase]
    if "byclass" in files:
        return signs
    if "balanced" in files or "bymerge" in files:
        return [sign for sign in signs if sign not in "cijklmopsuvwxyz"]
    return list(string.digits)


def _npz(files, *_):
    contents = {}
    for name, file in files.items():
        with naming(shown(file)), zipfile.ZipFile(file) as packed:
            check_bytes(sum(member.file_size for member in packed.infolist()))
        with naming(shown(file)), np.load(file, allow_pickle=False) as arrays:
            contents[name] = {key: arrays[key] for key in arrays.files}
    if all(list(arrays) == ["arr_0"] for arrays in contents.values()):  # KMNIST
        return _pairs({name: arrays["arr_0"] for name, arrays in contents.items()}), None
    if len(contents) > 1:
        raise CganError(f"Here are several data sets: {', '.join(list(contents)[:5])}; name one of them.")
    (arrays,) = contents.values()
    parts = []
    for split in ("train", "val", "test"):
        for x, y in ((f"x_{split}", f"y_{split}"), (f"{split}_images", f"{split}_labels")):  # Keras; MedMNIST
            if x in arrays:
                parts.append(Part(arrays[x], arrays.get(y), split != "train"))
    if "images" in arrays and not parts:  # what `cgan generate --per-class` writes
        parts.append(Part(arrays["images"], arrays.get("labels"), None))
    if not parts:
        raise CganError(f"It holds {', '.join(arrays) or 'nothing'}; known are x_train, y_train or train_images.")
    return parts, arrays.get("class_names")


def _csv(files, *_):
    """A label and the pixels of a square picture in a row, with a header or without: MNIST as people exchange it."""
    import pandas as pd

    parts, without, total = [], [], 0
    for name, file in files.items():
        with naming(shown(file)):
            first = pd.read_csv(file, header=None, nrows=1, dtype=str).iloc[0]
            header = not first.str.fullmatch(r"\s*-?\d+(\.\d+)?\s*")[1:].all()
            low = [str(value).strip().lower() for value in first]
            place = next((low.index(word) for word in LABELS if word in low), 0)
            if len(first) < 17 or not _is_square(len(first) - 1):  # Kaggle's test.csv has no label
                without.append(f"{name} ({len(first)} columns)")
                continue
            images, labels = [], []
            for rows in pd.read_csv(file, header=0 if header else None, chunksize=PIECE):
                labels.append(rows.pop(rows.columns[place]).to_numpy())
                total += rows.size
                check_bytes(total)
                values = rows.to_numpy()
                if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
                    raise ValueError("it has pixels that are no numbers, or a row is cut")
                whole = values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255
                images.append(values.astype(np.uint8 if whole else np.float32))
        parts.append(Part(np.concatenate(images), np.concatenate(labels), for_test(name)))
    if not parts:
        raise CganError(f"No table here has a label and the pixels of a square picture in a row: {', '.join(without)}.")
    if without:
        notice(f"Left out, since a row is not a label and the pixels of a square picture: {', '.join(without)}.")
    return parts, None


def _is_square(number):
    return math.isqrt(number) ** 2 == number


def _npy(files, *_):
    """A file for each class, as of Quick, Draw! ([N, 784]), or one of images and one of labels."""
    arrays = {}
    for name, file in files.items():
        with naming(shown(file)):
            arrays[name] = np.load(file, mmap_mode="r", allow_pickle=False)
    if any((word := KIND.search(name.lower())) and word["labels"] for name in arrays):
        return _pairs(arrays), None
    stems = [re.sub("^full_numpy_bitmap_", "", Path(name).stem) for name in arrays]
    parts = [Part(array, np.full(len(array), i), None) for i, array in enumerate(arrays.values())]
    return parts, stems


def _parquet(files, size, background):
    """Data sets of Hugging Face: a struct of bytes and path for an image; the names of the classes in the metadata."""
    try:
        import pyarrow.parquet as parquet
        import pyarrow.types as types
    except ImportError:
        raise DataError(f"To read .parquet files, {to_install('data')}") from None
    columns, names = {}, None
    for file in files.values():
        with naming(shown(file)):
            schema = parquet.read_schema(file)
            features = (
                json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
            )
            image = [one.name for one in schema if types.is_binary(one.type) or types.is_struct(one.type)]
            label = [key for key in schema.names if key in LABELS or features.get(key, {}).get("_type") == "ClassLabel"]
            if len(image) != 1 or len(label) > 1:
                raise CganError(f"It has the columns {', '.join(schema.names)}; keep one image and one label in it.")
            names = names or (features.get(label[0], {}).get("names") if label else None)
            columns[file] = image + label

    def samples(file):
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(PIECE, columns=columns[file]):
                image, *label = (batch[column].to_pylist() for column in columns[file])
                for blob, value in zip(image, *label or [len(image) * [None]], strict=True):
                    yield blob["bytes"] if isinstance(blob, dict) else blob, value

    return _pictures(files, samples, size, background), names


def _webdataset(files, size, background):
    """Shards of samples: files with one name up to its first dot, a picture and its class (.cls, or label in .json)."""

    def samples(file):
        with tarfile.open(file) as tar:
            members = (member for member in tar if member.isfile())
            for key, sample in itertools.groupby(members, lambda member: re.sub(r"\.[^/]*$", "", member.name)):
                found = {}
                for member in sample:
                    check_bytes(member.size)
                    ending, content = member.name.rpartition("/")[2].partition(".")[2].lower(), tar.extractfile(member)
                    if pictures.is_picture(member.name):
                        found["image"] = content.read()
                    elif ending == "cls":
                        found["label"] = content.read().decode().strip()
                    elif ending == "json":
                        facts = json.load(content)
                        found |= [("label", str(facts[column])) for column in LABELS if column in facts]
                if "image" in found:
                    if "label" not in found:
                        raise ValueError(f"{key} has no class, neither .cls nor a label in .json")
                    yield found["image"], found["label"]

    return _pictures(files, samples, size, background), None


def is_webdataset(path):
    """Whether a .tar holds pictures with a .cls or .json of the same name, and not a folder of pictures."""
    with naming(shown(path)), tarfile.open(path) as tar:
        names = [member.name.lower() for member in tar if member.isfile()]
    stems = {re.sub(r"\.[^/]*$", "", name) for name in names if pictures.is_picture(name)}
    return any(re.sub(r"\.[^/]*$", "", name) in stems for name in names if name.endswith((".cls", ".json")))


def _pictures(files, samples, size, background):
    """Encoded pictures and their labels, which `samples` yields of a file → parts; those of 16 bits by one range."""
    parts, extents, lost = [], {}, Counter()
    for file in files.values():
        with naming(shown(file)):
            for blob, _ in samples(file):
                with suppress(Exception):  # what can't be read is counted when it is decoded
                    extents = pictures.joined(extents, pictures.measure(io.BytesIO(blob)))
    for name, file in files.items():
        images, labels = [], []
        with naming(shown(file)):
            for blob, label in samples(file):
                try:
                    images.append(pictures.read(io.BytesIO(blob), size, background, extents).pixels)
                    labels.append(label)
                except Exception as error:  # a damaged picture can fail in any decoder, in any way
                    lost[re.sub(r" <.*?>", "", one_line(error))] += 1
                check_bytes(len(images) * size * size * 3)
            if not images:
                raise ValueError("it has no picture that can be read")
        grey = all((image == image[..., :1]).all() for image in images)
        images = np.stack([image[..., :1] for image in images] if grey else images)
        parts.append(Part(images, None if None in labels else labels, for_test(name)))
    if lost:
        notice(f"{lost.total():,} pictures could not be read and were left out ({next(iter(lost))}).")
    return parts


def _mat(files, *_):
    """SVHN: X [32, 32, 3, N] and y [N, 1], in which 10 is the digit 0 (ufldl.stanford.edu/housenumbers)."""
    from scipy.io import loadmat, whosmat

    parts = []
    for name, file in files.items():
        with naming(shown(file)):
            shapes = {key: shape for key, shape, _ in whosmat(file)}
            if len(shapes.get("X", ())) != 4 or "y" not in shapes:
                raise ValueError(f"it holds {', '.join(shapes)}, and not SVHN's X and y")
            check_bytes(math.prod(shapes["X"]))
            arrays = loadmat(file, variable_names=["X", "y"])
        parts.append(Part(arrays["X"].transpose(3, 0, 1, 2), arrays["y"].ravel() % 10, for_test(name)))
    return parts, None


def _stl10(files, *_):
    """STL-10's binary version: bytes [N, 3, 96, 96] by columns, labels from 1 (cs.stanford.edu/~acoates/stl10)."""
    names, parts = None, []
    for name, file in files.items():
        if not name.lower().endswith("x.bin"):
            continue
        labels = file.with_name(re.sub("(?i)x.bin$", "y.bin", file.name))
        with naming(shown(file)):
            images = np.memmap(file, np.uint8, "r").reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)
            parts.append(Part(images, np.fromfile(labels, np.uint8).astype(int) - 1, for_test(name)))
        listed = file.with_name("class_names.txt")
        names = listed.read_text().split() if listed.is_file() else names
    return parts, names


def _cifar(files, *_):
    """CIFAR-10 or CIFAR-100, python or binary version, as its archive unpacks (cs.toronto.edu/~kriz/cifar.html)."""
    some = next(iter(files.values()))
    name = "cifar10" if "batch" in some.name else "cifar100"
    arrays = read_cifar(name, some.parent, pickled=some.suffix != ".bin")
    parts = [Part(arrays[f"x_{part}"], arrays[f"y_{part}"], part == "test") for part in ("train", "test")]
    return parts, CLASS_NAMES[name]


# What a form is called to people → what its files' names match, and its reader.
FORMS = {
    "idx": (r"[-.]idx[134]-u?byte(\.gz)?$", _idx),
    ".npz": (r"\.npz$", _npz),
    ".csv": (r"\.csv(\.gz)?$", _csv),
    ".npy": (r"\.npy$", _npy),
    ".parquet": (r"\.parquet$", _parquet),
    "SVHN's .mat": (r"\.mat$", _mat),
    "STL-10": (r"^(train|test)_[xy]\.bin$", _stl10),
    "CIFAR": (r"^(data_batch_\d|test_batch|train|test)(\.bin)?$", _cifar),
    "WebDataset .tar": (r"\.tar$", _webdataset),
}
