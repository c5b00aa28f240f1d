"""Where a training may write: a folder of its own, and its checkpoint beside it."""

from contextlib import contextmanager

from ..errors import CganError, one_line
from ..paths import own_folder
from ..results.run import Run


def numbered(name):
    """runs/<name>, runs/<name>-2, …: where trainings go that were given no folder."""
    return [own_folder() / (name if i == 1 else f"{name}-{i}") for i in range(1, 1000)]


def checkpoint_of(folder):
    return folder.with_name(f"{folder.name}.checkpoint")


def taken(folder):
    return folder.exists() or checkpoint_of(folder).exists()


def finished(folder):
    """The `Run` in a folder whose training came to its end, else None."""
    try:
        run = Run(folder)
    except CganError:
        return None
    return run if run.record["training"].get("complete") else None


def stopped_at_once(folder):
    """Whether a training was killed in it before its first checkpoint: then only the folder is there, and empty."""
    return folder.is_dir() and not any(folder.iterdir()) and not checkpoint_of(folder).exists()


def newest(folders):
    """Where to go on: in the last of the folders with a checkpoint that is not finished, else in the last with one."""
    begun = [folder for folder in reversed(folders) if checkpoint_of(folder).exists()]
    return next((folder for folder in begun if not finished(folder)), begun[0] if begun else folders[0])


def in_use(folder):
    """The sentence for a folder that a new training can't have."""
    if stopped_at_once(folder):  # or made by hand, or by a training that has just begun: they look the same
        return f"{folder} is empty, as if a training had just begun in it; if none has, add --resume to train in it."
    return f"{folder} already holds a training; continue it with --resume, or choose another folder."


@contextmanager
def reserved(folders):
    """The folder that `reserve` makes; it goes again if nothing comes of it."""
    folder = reserve(folders)
    try:
        yield folder
    finally:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def reserve(folders):
    """The first free folder, made here and now: of two trainings that start together, each gets one of its own."""
    for folder in folders:
        try:
            if not taken(folder):
                folder.mkdir(parents=True)
                return folder
        except FileExistsError:
            continue  # the other training was faster
        except OSError as error:
            raise CganError(f"{folder} can't be made ({one_line(error)}); choose another with --out.") from None
    raise CganError(f"Another training has just started in {folders[0]}; choose another folder.")
