"""The export of a run in a process of its own, for forms that Keras writes from one backend only."""

import os
import subprocess
import sys
from pathlib import Path

from ..errors import CganError

PACKAGE = Path(__file__).resolve().parent.parent


def export(run, path, backend, *options):
    """What `cgan export` of the run does with another backend; options: more of what it is given. Returns the path."""
    # -P: modules are not looked for in the current folder, where a file of the user may be called onnx.py. This
    # package is found where it is installed, or where this process has it from.
    code = "import sys; sys.path.append(sys.argv.pop(1)); from cgan_utils.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-P", "-c", code, str(PACKAGE.parent), "export", str(run.path), str(path), *options]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given."])[-1]
        raise CganError(f"{run.name} could not be written as {path.name}: {said.removeprefix('cgan: ')}")
    return path
