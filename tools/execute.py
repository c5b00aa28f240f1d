"""Runs notebooks from a fresh kernel, top to bottom, and keeps their outputs and the state of their widgets.

    python tools/execute.py notebooks/00_generate.ipynb …

The budget is `CGAN_BUDGET`, 'demo' by default; data come from `CGAN_DATA_DIR`, the caches or a download.
Pictures that a cell with the tag `private-output` shows are not kept: they may not be passed on.
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
WIDEST = 900  # pixels: about as much as JupyterLab shows on a laptop; it would make a wider figure smaller
PRIVATE = "private-output"
QUALITY = 65  # of a JPEG, from 0 to 95: side by side with the PNG, no difference can be seen at the size it is shown


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
    leave_out_private(notebook)
    lighten(notebook)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def leave_out_private(notebook):
    """Drop the pictures of the cells tagged `PRIVATE`; what they say in words stays. Such a cell may show no widget."""
    for cell in notebook.cells:
        if PRIVATE in cell.metadata.get("tags", []):
            cell.outputs = [output for output in cell.outputs if not has_picture(output)]


def has_picture(output):
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def lighten(notebook):
    """Give each picture of a notebook, those that its widgets show included, the smallest good form."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                kind, content = smaller(data.pop("image/png"))
                data[f"image/{kind}"] = content
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for model in states.values():
        for buffer in model.get("buffers", []):
            if model["model_name"] == "ImageModel" and model["state"].get("format") == "png":
                model["state"]["format"], buffer["data"] = smaller(buffer["data"])


def smaller(png):
    """A picture, base64 of a PNG, as (kind, base64): photographs as JPEG, not wide, and plots as PNG of 128 colours."""
    old = base64.b64decode(png)
    picture = Image.open(io.BytesIO(old)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    photograph, plot = io.BytesIO(), io.BytesIO()
    picture.quantize(128, dither=Image.Dither.NONE).save(plot, "PNG", optimize=True)
    colours = picture.getcolors(MANY_COLOURS)
    picture.thumbnail((WIDEST, picture.height), Image.Resampling.LANCZOS)
    picture.save(photograph, "JPEG", quality=QUALITY, progressive=True)
    kind, new = ("png", plot) if colours and photograph.tell() > 0.8 * plot.tell() else ("jpeg", photograph)
    if new.tell() >= len(old):
        return "png", png
    return kind, base64.b64encode(new.getvalue()).decode()


def main(paths):
    os.environ.setdefault("CGAN_BUDGET", "demo")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for path in map(Path, paths):
        start = time.monotonic()
        execute(path)
        print(f"{path}: {time.monotonic() - start:.0f} s, {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
