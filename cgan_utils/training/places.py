"""Where a training may write: a folder of its own, and its checkpoint beside it."""

import hashlib
import itertools
from contextlib import contextmanager

from filelock import FileLock, Timeout

from ..errors import CganError, one_line
from ..files import RECORD
from ..paths import cache_dir, forget_unfinished, own_folder
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


def to_go_on(folder):
    """Whether a training can go on in it: from its checkpoint, or, if it stopped at once, from the beginning."""
    return checkpoint_of(folder).exists() or stopped_at_once(folder)


def newest(folders):
    """Where to go on: in the last of the folders with a checkpoint that is not finished, else in the last that was
    stopped before its first checkpoint, else in the last with one."""
    begun = [folder for folder in reversed(folders) if checkpoint_of(folder).exists()]
    unfinished = (folder for folder in begun if not finished(folder))
    at_once = (folder for folder in reversed(folders) if stopped_at_once(folder))
    return next(itertools.chain(unfinished, at_once, begun), folders[0])


def in_use(folder):
    """The sentence for a folder that a new training can't have."""
    if stopped_at_once(folder):  # or made by hand, or by a training that has just begun: they look the same
        return f"{folder} is empty, as if a training had just begun in it; if none has, add --resume to train in it."
    if checkpoint_of(folder).exists():
        return f"{folder} already holds a training; continue it with --resume, or choose another folder."
    return not_begun(folder)


def not_begun(folder):
    """The sentence for a folder without a checkpoint to go on from."""
    if not folder.exists():
        return f"There is no checkpoint at {checkpoint_of(folder)}; start without --resume."
    if (folder / RECORD).is_file():
        gone = f"its checkpoint, {checkpoint_of(folder).name} beside it, is gone"
        return f"{folder} holds a run, but {gone}, and it can't go on; choose another folder."
    return f"{folder} is there already, and holds no training; choose another folder."


@contextmanager
def reserved(folders, resume=False):
    """The folder that a training has for itself: the first free one, or with resume the `newest`, to go on in it.

    It goes again if nothing comes of it.
    """
    folder = newest(folders) if resume else reserve(folders)
    with alone(folder):
        try:
            for path in (folder, checkpoint_of(folder)):
                forget_unfinished(path)
            yield folder
        finally:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def alone(folder):
    """Keeps other trainings of this machine out of a folder; when a process dies, the system lets the next one in.

    Raises CganError if another one is at work.
    """
    # The lock file stays where it is: who removes it lets in two, one on the old file and one on a new one. So it
    # lies in the cache, out of sight.
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise CganError(f"Another training is at work in {folder}; let it end, or choose another folder.") from None
    try:
        yield
    finally:
        lock.release()


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
