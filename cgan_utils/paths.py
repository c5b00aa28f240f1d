"""The folders that the package reads and writes, and the environment variables that move them."""

import errno
import glob
import os
import re
import secrets
import shutil
import tempfile
import time
import unicodedata
from contextlib import contextmanager, suppress
from pathlib import Path

from .files import RECORD

KEPT, IN_USE = 3, 7 * 24 * 3600  # what of a cache stays in any case; none goes so many seconds after its use


def expanded(path):
    """A path whose `~` is the home folder; a user without one, as in some containers, gets the temporary folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir(), *Path(path).parts[1:])


def root():
    """The folder that holds resultados/ and runs/: `CGAN_HOME`, else the repository that the package lies in.

    A package that was installed without its repository, as from a wheel, works in the current folder.
    """
    if home := os.environ.get("CGAN_HOME"):
        return expanded(home)
    repository = Path(__file__).resolve().parent.parent
    return repository if (repository / "pyproject.toml").is_file() else Path.cwd()


def shipped_folder():
    return root() / "resultados"


def own_folder():
    return root() / "runs"


def called(path):
    """The name by which the run in a folder opens: of two with one name, the shipped one and one's own, "runs/…"."""
    twin = (shipped_folder() / path.name / RECORD).is_file() and path.parent.resolve() == own_folder().resolve()
    return f"runs/{path.name}" if twin else path.name


def opened_by(path):
    """What opens the run in a folder from everywhere: its name, or, outside of resultados/ and runs/, the folder."""
    known = path.parent.resolve() in (shipped_folder().resolve(), own_folder().resolve())
    return called(path) if known else str(path.absolute())


def by_name(runs):
    """{name: run} of some runs, each once; of runs with one name in several folders, the second is "name (2)"."""
    named = {}
    for run in {run.path: run for run in runs}.values():
        name, count = run.name, 1
        while name in named:
            count += 1
            name = f"{run.name} ({count})"
        named[name] = run
    return named


def cache_dir():
    """The folder of what we make or download, one sub-folder a data set: `CGAN_CACHE_DIR`, or ~/.cache/cgan_utils."""
    return expanded(os.environ.get("CGAN_CACHE_DIR") or "~/.cache/cgan_utils")


# What Windows keeps for itself, whatever the ending.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


def forget_old(paths):
    """Remove files or folders of a cache, all but the last few, and none that was in use of late; returns them.

    Each goes whole or not at all: on Windows what is open stays.
    """
    ages, gone = {}, []
    for path in paths:
        with suppress(OSError):  # another process has just removed it
            ages[path] = path.stat().st_mtime
    for path in sorted(ages, key=ages.get)[:-KEPT]:
        if time.time() - ages[path] > IN_USE:
            doomed = _beside(path, "old")
            with suppress(OSError):
                os.replace(path, doomed)
                gone.append(path)
                if doomed.is_dir():
                    shutil.rmtree(doomed, ignore_errors=True)
                else:
                    doomed.unlink()
    return gone


def plain(text):
    """A text as one looks for it: without accents, in small letters."""
    signs = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in signs if not unicodedata.combining(sign)).lower()


def file_names(names):
    """A name for a file or folder of each of some names of classes, which may come from a stranger.

    Of letters, digits, '_', '-' and inner dots alone, so that none leads out of its folder; no two are the same on any
    system, and none is reserved.
    """
    found = []
    for i, name in enumerate(names):
        text = unicodedata.normalize("NFC", name)  # else the accent of a Mac's ñ is a sign of its own
        text = re.sub(r"[^\w.-]", lambda match: "_" if match[0] == " " else "-", text)[:100].strip(".-")
        if text.partition(".")[0].lower() in {"", *_RESERVED}:
            text = f"class-{text or i}"
        while text.lower() in map(str.lower, found):
            text += f"-{i}"
        found.append(text)
    return found


@contextmanager
def whole(path):
    """A temporary name with the same ending: what is written there replaces `path`, complete or not at all.

    The folder is made. Raises OSError, with the name that the user gave, where it can't be.
    """
    path = Path(path)
    new = _beside(path, "new")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield new
        moved(new, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        new.unlink(missing_ok=True)  # what a full disk left of it


@contextmanager
def whole_folder(path):
    """An empty temporary folder: what is written there replaces the folder `path`, complete or not at all.

    No system exchanges two folders in one step that all have, so a process that is killed between two renames leaves
    the old folder under its temporary name; `put_back` then renames it.
    """
    path = Path(path)
    new, old = _beside(path, "new"), _beside(path, "old")
    new.mkdir(parents=True)
    try:
        yield new
        while True:
            if path.exists():
                moved(path, old)
            try:
                moved(new, path)
                break
            except OSError:
                if not path.exists() or old.exists():  # else another process has just put the old one back
                    raise
    finally:
        if old.exists() and not path.exists():  # the second of the two failed
            moved(old, path)
        for folder in (new, old):
            shutil.rmtree(folder, ignore_errors=True)


_TOKEN = "[0-9a-f]" * 8  # a pattern of what `_beside` puts into a name; a folder of the user is hardly called so


def _beside(path, age):
    """A hidden name beside `path` that no other process and no other thread uses."""
    return path.with_name(f".{age}-{secrets.token_hex(4)}-{path.name}")


def put_back(parent):
    """Give folders in `parent` their names again if the process that was replacing them was killed meanwhile."""
    for old in sorted(parent.glob(f".old-{_TOKEN}-*"), key=os.path.getmtime, reverse=True):
        path = parent / old.name.split("-", 2)[2]
        if old.is_dir() and not path.exists():
            with suppress(OSError):  # another process was faster, or the folder can't be written
                os.rename(old, path)


def forget_unfinished(path):
    """Remove what processes that were killed left beside `path`; no other may be writing it."""
    put_back(path.parent)
    for age in ("new", "old"):
        for left in path.parent.glob(f".{age}-{_TOKEN}-{glob.escape(path.name)}"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


def moved(path, target):
    """Rename a file, over an older one, or a folder; where Windows refuses it, try again for two seconds.

    It does while another program, such as one that looks for viruses or keeps copies, has a file of it open.
    """
    for wait in (0.1, 0.3, 0.6, 1.0, None):
        try:
            return os.replace(path, target)
        except PermissionError:
            if wait is None:
                raise
            time.sleep(wait)


def try_place(path):
    """Raises OSError where a file at `path` could not be written, and leaves nothing behind: asked before long work."""
    path = Path(path)
    place = next((folder for folder in path.absolute().parents if folder.exists()), None)
    if place is None:  # a drive of Windows that is not there
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    probe = place / f".{path.name}.{os.getpid()}"
    try:
        probe.touch()
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def write_whole(path, content):
    """Write a file, text or bytes, as `whole` does."""
    with whole(path) as new:
        new.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_beside(path, content):
    """Write bytes into a new file, as `whole` does, and return its path: `path`, or path_2 and so on if that is taken.

    A file that holds these very bytes is left, and its path returned.
    """
    place, count = path, 1
    while place.exists() and not (place.is_file() and place.read_bytes() == content):
        count += 1
        place = path.with_stem(f"{path.stem}_{count}")
    if not place.exists():
        write_whole(place, content)
    return place
