"""The folders that the package reads and writes, and the environment variables that move them."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


def expanded(path):
    """A path whose `~` is the home folder; a user without one, as in some containers, gets the temporary folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir(), *Path(path).parts[1:])


def root():
    """The project's folder, which holds resultados/ and runs/: `CGAN_HOME`, else where the package lies."""
    home = os.environ.get("CGAN_HOME")
    return expanded(home) if home else Path(__file__).resolve().parent.parent


def shipped_folder():
    return root() / "resultados"


def own_folder():
    return root() / "runs"


def cache_dir():
    """The folder of what we make or download, one sub-folder a data set: `CGAN_CACHE_DIR`, or ~/.cache/cgan_utils."""
    return expanded(os.environ.get("CGAN_CACHE_DIR") or "~/.cache/cgan_utils")


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


def write_whole(path, content):
    """Write a file, text or bytes, as `whole` does."""
    with whole(path) as new:
        new.write_bytes(content if isinstance(content, bytes) else content.encode())
