"""The standard streams, for a process that was started without some, or whose reader goes away."""

import os
import sys
from contextlib import contextmanager


def complete():
    """Open the standard streams that are missing to nowhere: what is printed there is dropped.

    A service, a launcher on a desktop and pythonw start processes so. Their descriptors are taken, too: else the next
    file that is opened would become number 2, and what native code prints as errors would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (it stays open)


class _Unbroken:
    """A stream that drops what can't be written from then on, and keeps the first error."""

    def __init__(self, stream):
        self.stream, self.error = stream, None

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        return self._try(self.stream.write, text)

    def flush(self):
        return self._try(self.stream.flush)

    def _try(self, act, *arguments):
        if self.error:
            return None
        try:
            return act(*arguments)
        except OSError as error:
            self.error = error
            # What waits in the buffer, and what native code prints, goes nowhere as well.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
            return None


@contextmanager
def unbroken():
    """Within it, work goes on when its output can't be written, since the reader has gone (`| head`) or a disk is full.

    Gives the two streams; the `error` of each is None, or the OSError of its first failure.
    """
    before = sys.stdout, sys.stderr
    streams = sys.stdout, sys.stderr = _Unbroken(sys.stdout), _Unbroken(sys.stderr)
    try:
        yield streams
    finally:
        for stream in streams:
            stream.flush()
        sys.stdout, sys.stderr = before
