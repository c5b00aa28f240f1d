"""A .zip or .tar in place of a folder of pictures or data: unpacked once into the cache, and never outside it."""

import hashlib
import os
import re
import secrets
import shutil
import tarfile
import unicodedata
import zipfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath

from ..errors import one_line
from ..paths import cache_dir, expanded, forget_old, moved
from .formats import is_webdataset
from .listing import PASSED_OVER, shown
from .pictures import is_picture, is_unread
from .readers import is_data
from .sources import DataError

LARGEST = 20 * 10**9  # bytes of all files, unpacked
ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
VERSION = 3  # of how names are read: what was unpacked with other names is unpacked anew
UTF8 = 0x800  # the flag of a member whose name says that it is in UTF-8


def opened(path):
    """The folder at a path: itself, or, for an archive, one in the cache with its pictures and files of data.

    A folder that is all there is in an archive is taken for the whole. A .tar of WebDataset is read as it is.
    Raises `DataError` for an archive that is damaged, locked, too large, or holds a name that leads out of it.
    """
    path = expanded(path)
    if not is_archive(path) or (path.suffix.lower() == ".tar" and is_webdataset(path)):
        return path
    status = path.stat()
    mark = ascii((VERSION, str(path.resolve()), status.st_size, status.st_mtime_ns)).encode()
    store = cache_dir() / "zips"
    folder = store / hashlib.sha256(mark).hexdigest()[:16] / shown(path.stem)
    if not folder.is_dir():
        _unpack(path, folder)
        forget_old(path for path in store.iterdir() if re.fullmatch("[0-9a-f]{16}", path.name))  # ours alone
    with suppress(OSError):
        os.utime(folder.parent)  # so that it counts as used
    inside = list(folder.iterdir())
    within = [entry for entry in inside if entry.is_dir()]
    return within[0] if len(inside) == len(within) == 1 else folder


def is_archive(path):
    """Whether a path is a file that is named like an archive which can be unpacked here."""
    return path.is_file() and path.name.lower().endswith(ENDINGS)


def _unpack(path, folder):
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        with _files(path) as files:
            # Where a name is there twice, the last one counts, as for other programs.
            files = {name: (size, opener) for name, size, opener in files if _wanted(path, name)}
            if sum(size for size, _ in files.values()) > LARGEST:
                raise DataError(f"{shown(path)} holds more than {LARGEST // 10**9} GB of pictures; unpack it yourself.")
            for name, (_, opener) in files.items():
                target = new.joinpath(*_path(name).parts)
                while target.exists():  # a:b.png beside a_b.png; on some systems also A.PNG beside a.png
                    target = target.with_stem(f"{target.stem}_")
                target.parent.mkdir(parents=True, exist_ok=True)
                with opener() as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)
        new.mkdir(parents=True, exist_ok=True)
        try:
            moved(new, folder)
        except OSError:
            if not folder.is_dir():  # else another process has just unpacked the same
                raise
    except DataError:
        raise
    except Exception as error:  # an archive can be damaged, or locked, in many ways
        if isinstance(error, OSError) and error.errno and str(error.filename) != str(path):  # the cache is at fault
            raise DataError(
                f"{shown(path)} cannot be unpacked into {shown(cache_dir())} ({one_line(error)}); make room there, or "
                "let CGAN_CACHE_DIR name another folder."
            ) from error
        raise DataError(f"{shown(path)} cannot be unpacked ({one_line(error)}); unpack it yourself.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextmanager
def _files(path):
    """(name, bytes, what opens it) of each file in an archive; links and devices are none."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            yield [(_spelled(member), member.file_size, partial(archive.open, member)) for member in members]
    else:
        with tarfile.open(path) as archive:
            members, total = [], 0
            for member in archive:
                total += member.size
                if total > 3 * LARGEST:  # what is not wanted has to be unpacked, too, to get past it
                    raise DataError(f"{shown(path)} holds more than {3 * LARGEST // 10**9} GB; unpack it yourself.")
                if member.isfile():
                    name = unicodedata.normalize("NFC", member.name)
                    members.append((name, member.size, partial(archive.extractfile, member)))
            yield members


def _path(name):
    """The path of a file in the archive, with _ for what no name on Windows may have, on every system alike."""
    return PurePosixPath(re.sub(r'[<>:"|?*]', "_", name.replace("\\", "/")))  # some programs for Windows write \


def _spelled(member):
    """The name of a member as it was typed, in composed Unicode.

    A Mac writes UTF-8 without saying so, Windows in the west of Europe the code page 850; `zipfile` takes both for 437.
    """
    name = member.filename
    if not member.flag_bits & UTF8:
        with suppress(UnicodeEncodeError):  # the name came from a field that is in UTF-8
            content = name.encode("cp437")
            try:
                name = content.decode("utf-8")
            except UnicodeDecodeError:
                name = content.decode("cp850")
    return unicodedata.normalize("NFC", name)


def _wanted(path, name):
    """Whether a file is a picture, even of a form that we only count, or data; a name that leads out is refused."""
    place = _path(name)
    if place.is_absolute() or ".." in place.parts or re.match("[A-Za-z]:", name):  # a drive
        raise DataError(f"{shown(path)} holds {shown(name)}, which leads out of it; it is not unpacked.")
    hidden = any(part.startswith(".") or part in PASSED_OVER for part in place.parts)
    return not hidden and (is_picture(place.name) or is_unread(place.name) or is_data(place.name))
