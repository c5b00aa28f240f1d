"""The folders that the package reads and writes, and the environment variables that move them."""

import errno
import os
import re
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path


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


def cache_dir():
    """The folder of what we make or download, one sub-folder a data set: `CGAN_CACHE_DIR`, or ~/.cache/cgan_utils."""
    return expanded(os.environ.get("CGAN_CACHE_DIR") or "~/.cache/cgan_utils")


# What Windows keeps for itself, whatever the ending.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


def file_names(names):
    """A name for a file or folder of each of some names of classes, which may come from a stranger.

    Of letters, digits, '_', '-' and inner dots alone, so that none leads out of its folder; no two are the same on any
    system, and none is reserved.
    """
    found = []
    for i, name in enumerate(names):
        text = re.sub(r"[^\w.-]", lambda match: "_" if match[0] == " " else "-", name)[:100].strip(".-")
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
    new = path.with_name(f".{path.stem}.new{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield new
        os.replace(new, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        new.unlink(missing_ok=True)  # what a full disk left of it


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


def renamed(path, target):
    """Rename a folder; where Windows refuses it, since a program still has a file of it open, try for two seconds."""
    for wait in (0.1, 0.3, 0.6, 1.0, None):
        try:
            return path.rename(target)
        except PermissionError:
            if wait is None:
                raise
            time.sleep(wait)


def write_whole(path, content):
    """Write a file, text or bytes, as `whole` does."""
    with whole(path) as new:
        new.write_bytes(content if isinstance(content, bytes) else content.encode())
