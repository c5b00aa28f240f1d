"""A .zip of pictures in place of their folder: unpacked once into the cache, and never outside it."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import one_line
from ..paths import cache_dir
from .listing import PASSED_OVER, shown
from .pictures import is_picture
from .sources import DataError

LARGEST = 20 * 10**9  # bytes of all pictures, unpacked


def opened(path):
    """The folder at a path: itself, or, for a .zip, one in the cache with its pictures.

    A folder that is all there is in a .zip is taken for the whole. Raises `DataError` for an archive that is damaged,
    locked, too large, or holds a name that leads out of it.
    """
    path = Path(path)
    if not path.is_file() or path.suffix.lower() != ".zip":
        return path
    status = path.stat()
    mark = ascii((str(path.resolve()), status.st_size, status.st_mtime_ns)).encode()
    folder = cache_dir() / "zips" / hashlib.sha256(mark).hexdigest()[:16] / shown(path.stem)
    if not folder.is_dir():
        _unpack(path, folder)
    inside = list(folder.iterdir())
    within = [entry for entry in inside if entry.is_dir()]
    return within[0] if len(inside) == len(within) == 1 else folder


def _unpack(path, folder):
    new = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if _wanted(path, member)]
            if sum(member.file_size for member in members) > LARGEST:
                raise DataError(f"{shown(path)} holds more than {LARGEST // 10**9} GB of pictures; unpack it yourself.")
            for member in members:
                target = new.joinpath(*_name(member).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)
        new.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(new, folder)
        except OSError:
            if not folder.is_dir():  # else another process has just unpacked the same
                raise
    except DataError:
        raise
    except Exception as error:  # an archive can be damaged, or locked, in many ways
        raise DataError(f"{shown(path)} cannot be unpacked ({one_line(error)}); unpack it yourself.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _name(member):
    return PurePosixPath(member.filename.replace("\\", "/"))  # some programs for Windows write those


def _wanted(path, member):
    """Whether a member of the archive is a picture; one whose name leads out of the archive is refused."""
    name = _name(member)
    if name.is_absolute() or ".." in name.parts or ":" in member.filename:
        raise DataError(f"{shown(path)} holds {shown(member.filename)}, which leads out of it; it is not unpacked.")
    hidden = any(part.startswith(".") or part in PASSED_OVER for part in name.parts)
    return not member.is_dir() and not hidden and is_picture(name.name)
