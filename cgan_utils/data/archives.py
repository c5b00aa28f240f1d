"""A .zip of pictures in place of their folder: unpacked once into the cache, and never outside it."""

import hashlib
import os
import re
import secrets
import shutil
import unicodedata
import zipfile
from contextlib import suppress
from pathlib import PurePosixPath

from ..errors import one_line
from ..paths import cache_dir, expanded, forget_old, moved
from .listing import PASSED_OVER, shown
from .pictures import is_picture, is_unread
from .sources import DataError

LARGEST = 20 * 10**9  # bytes of all pictures, unpacked
VERSION = 2  # of how names are read: what was unpacked with other names is unpacked anew
UTF8 = 0x800  # the flag of a member whose name says that it is in UTF-8


def opened(path):
    """The folder at a path: itself, or, for a .zip, one in the cache with its pictures.

    A folder that is all there is in a .zip is taken for the whole. Raises `DataError` for an archive that is damaged,
    locked, too large, or holds a name that leads out of it.
    """
    path = expanded(path)
    if not path.is_file() or path.suffix.lower() != ".zip":
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


def _unpack(path, folder):
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        with zipfile.ZipFile(path) as archive:
            # Where a name is there twice, the last one counts, as for other programs.
            members = {member.filename: member for member in archive.infolist() if _wanted(path, member)}.values()
            if sum(member.file_size for member in members) > LARGEST:
                raise DataError(f"{shown(path)} holds more than {LARGEST // 10**9} GB of pictures; unpack it yourself.")
            for member in members:
                target = new.joinpath(*_name(member).parts)
                while target.exists():  # a:b.png beside a_b.png; on some systems also A.PNG beside a.png
                    target = target.with_stem(f"{target.stem}_")
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as packed, target.open("wb") as out:
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


def _name(member):
    """The path of a member in the archive, with _ for what no name on Windows may have, on every system alike."""
    name = _spelled(member).replace("\\", "/")  # some programs for Windows write those
    return PurePosixPath(re.sub(r'[<>:"|?*]', "_", name))


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


def _wanted(path, member):
    """Whether a member is a picture, even of a form that we only count; a name that leads out is refused."""
    name = _name(member)
    if name.is_absolute() or ".." in name.parts or re.match("[A-Za-z]:", member.filename):  # a drive
        raise DataError(f"{shown(path)} holds {shown(member.filename)}, which leads out of it; it is not unpacked.")
    hidden = any(part.startswith(".") or part in PASSED_OVER for part in name.parts)
    return not member.is_dir() and not hidden and (is_picture(name.name) or is_unread(name.name))
