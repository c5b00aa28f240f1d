"""The folders that the package reads and writes, and the environment variables that move them."""

import os
from pathlib import Path


def root():
    """The project's folder, which holds resultados/ and runs/: `CGAN_HOME`, else where the package lies."""
    home = os.environ.get("CGAN_HOME")
    return Path(home) if home else Path(__file__).resolve().parent.parent


def shipped_folder():
    return root() / "resultados"


def own_folder():
    return root() / "runs"


def cache_dir():
    """The folder of what we make or download, one sub-folder a data set: `CGAN_CACHE_DIR`, or ~/.cache/cgan_utils."""
    return Path(os.environ.get("CGAN_CACHE_DIR") or "~/.cache/cgan_utils").expanduser()
