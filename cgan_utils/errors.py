"""The one kind of error a user is meant to read: a sentence that says what was wrong and what to do."""

import sys
from contextlib import contextmanager
from difflib import get_close_matches


class CganError(Exception):
    """Something the user can mend. The command line and notebooks print its sentence, not a traceback."""

    def _render_traceback_(self):
        """What IPython shows instead of a traceback (its documented hook for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


def unknown(kind, value, known):
    """The sentence for a name that does not exist: nearest known names first, else all of them.

    >>> unknown("data set", "mnits", ["mnist", "cifar10"])
    "There is no data set 'mnits'; did you mean mnist?"
    """
    known = [str(name) for name in known]
    by_lower = {name.lower(): name for name in known}
    near = [by_lower[name] for name in get_close_matches(str(value).lower(), by_lower, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of: {', '.join(known)}."
    return f"There is no {kind} {str(value)!r}; {hint}"


def to_install(extra):
    """How to get one of the extras of pyproject.toml, as the end of a sentence."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f'run {python} -m pip install -e ".[{extra}]" in the folder of the project.'


def one_line(error):
    """What an exception says, on one line without a full stop, or its kind if it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def notice(sentence):
    """Say on standard error what a user should know of, and need not mend: a sentence, without a line of our source."""
    print(sentence, file=sys.stderr)


@contextmanager
def reading(file, kind=CganError, remedy="copy the run again"):
    """Turn whatever goes wrong while `file` is read into one sentence with its name, raised as `kind`.

    A damaged file can fail in any decoder, in any way, so every exception is meant; a `CganError` stays as it is.
    """
    try:
        yield
    except CganError:
        raise
    except Exception as error:
        lacks = "it lacks " if isinstance(error, KeyError) else ""
        raise kind(f"{file} can't be read ({lacks}{one_line(error)}); {remedy}.") from None
