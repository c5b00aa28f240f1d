"""Runs notebooks from a fresh kernel, top to bottom, and keeps their outputs and the state of their widgets.

    python tools/execute.py notebooks/00_generate.ipynb …

The budget is `CGAN_BUDGET`, 'demo' by default; data come from `CGAN_DATA_DIR`, the caches or a download.
"""

import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
MANY_COLOURS = 4096  # a figure with more shows photographs, or drawings of some


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
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            lighten(output.get("data", {}))
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def lighten(data):
    """Keep a figure of photographs as JPEG where that is smaller; plots, and pictures beside a widget, stay PNG."""
    if set(data) - {"image/png", "text/plain"} or "image/png" not in data:
        return
    png = base64.b64decode(data["image/png"])
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    new = io.BytesIO()
    picture.save(new, "JPEG", quality=90, subsampling=0)
    if not picture.getcolors(MANY_COLOURS) and new.tell() < len(png):
        del data["image/png"]
        data["image/jpeg"] = base64.b64encode(new.getvalue()).decode()


def main(paths):
    os.environ.setdefault("CGAN_BUDGET", "demo")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for path in map(Path, paths):
        start = time.monotonic()
        execute(path)
        print(f"{path}: {time.monotonic() - start:.0f} s, {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
