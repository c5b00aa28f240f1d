"""Runs notebooks from a fresh kernel, top to bottom, and keeps their outputs and the state of their widgets.

    python tools/execute.py notebooks/00_generate.ipynb …

The budget is `CGAN_BUDGET`, 'demo' by default; data come from `CGAN_DATA_DIR`, the caches or a download.
"""

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent


def execute(path):
    """Run one notebook in place; a cell that fails leaves the file as it was."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.record_timing = False
    client.execute()
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def main(paths):
    os.environ.setdefault("CGAN_BUDGET", "demo")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for path in map(Path, paths):
        start = time.monotonic()
        execute(path)
        print(f"{path}: {time.monotonic() - start:.0f} s, {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
