"""Runs notebooks from a fresh kernel, top to bottom, and keeps their outputs and the state of their widgets.

    python tools/execute.py notebooks/00_generate.ipynb …
    python tools/execute.py --cells 12,15-17 notebooks/04_eda_cifar100.ipynb

With `--cells`, numbered as a notebook shows them, only these code cells run, and those before them that make what they
use; all others keep what they show.
The budget is `CGAN_BUDGET`, 'demo' by default; data come from `CGAN_DATA_DIR`, the caches or a download.
Pictures that a cell with the tag `private-output` shows are not kept: they may not be passed on.
"""

import argparse
import ast
import base64
import io
import os
import re
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 6  # grey levels of 255 by which a stored picture may be off
MANY_COLOURS = 8192  # a figure with more shows photographs, or drawings of some
WIDEST = 900  # pixels: about as much as JupyterLab shows on a laptop; it would make a wider figure smaller
PRIVATE = "private-output"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}  # as JupyterLab writes it
STATE, VIEW = "application/vnd.jupyter.widget-state+json", "application/vnd.jupyter.widget-view+json"
QUALITIES = (65, 75, 85, 95)  # of a JPEG; the first that is good enough


def execute(path, numbers=None):
    """Run one notebook in place, or only its code cells of these numbers; if one fails, the file stays as it was."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    chosen = code if numbers is None else [code[i] for i in needed(code, {number - 1 for number in numbers})]
    for cell in chosen:
        cell.metadata.pop("execution", None)
    kept = notebook.metadata.pop("widgets", None)
    part = nbformat.v4.new_notebook(metadata=notebook.metadata)
    part.cells = chosen  # the very cells, so that their outputs are the notebook's
    client = NotebookClient(
        part, timeout=3600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.record_timing = False
    client.execute()
    number(code)
    leave_out_private(notebook)
    lighten(part)
    notebook.metadata = part.metadata
    keep_widgets(notebook, kept)
    notebook.metadata["kernelspec"] = KERNEL
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def needed(code, wanted):
    """The positions of the wanted code cells and of those before them that make what they use, in order.

    A cell makes a name if it assigns, imports or defines it, or may change its value: `name.fit(…)`, `name[0] = …`.
    """
    trees = [ast.parse(cell.source) for cell in code]
    packages = {name for tree in trees for name in imported(tree)}  # which no method changes
    missing, found = set(), []
    for i, tree in reversed(list(enumerate(trees))):
        bound, changed, used = names_in(tree)
        if i in wanted or missing & (bound | changed - packages):
            missing = missing - bound | used
            found.insert(0, i)
    return found


def imported(tree):
    return {node.asname or node.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.alias)}


def names_in(tree):
    """The names that a cell gives a value, those whose value it may change, and those that it uses."""
    nodes = list(ast.walk(tree))
    own = {id(name) for node in nodes if isinstance(node, ast.comprehension) for name in ast.walk(node.target)}
    names = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in own]
    bound = imported(tree) | {node.id for node in names if isinstance(node.ctx, ast.Store)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    used |= {node.target.id for node in nodes if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)}
    places = [node.func for node in nodes if isinstance(node, ast.Call)]
    places += [node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store)]
    changed = {root(place) for place in places if isinstance(place, ast.Attribute | ast.Subscript)}
    return bound, changed, used


def root(place):
    """'a' of the expression `a.b[0].c`, or None."""
    while isinstance(place, ast.Attribute | ast.Subscript):
        place = place.value
    return getattr(place, "id", None)


def number(code):
    """Number the code cells 1, 2, 3, …, as a run from top to bottom does."""
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def keep_widgets(notebook, kept):
    """Keep the state of the widgets that are shown, and of those they are made of; the new and, in `kept`, the old."""
    new = notebook.metadata.get("widgets")
    states = {**(kept or {}).get(STATE, {}).get("state", {}), **(new or {}).get(STATE, {}).get("state", {})}
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown, todo = {}, [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]
    while todo:
        model = todo.pop()
        if model in states and model not in shown:
            shown[model] = states[model]
            todo += re.findall(r"IPY_MODEL_(\w+)", str(states[model]["state"]))
    notebook.metadata.pop("widgets", None)
    if shown:
        notebook.metadata["widgets"] = {STATE: {**(new or kept)[STATE], "state": shown}}


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
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for model in states.values():
        for buffer in model.get("buffers", []):
            if model["model_name"] == "ImageModel" and model["state"].get("format") == "png":
                model["state"]["format"], buffer["data"] = smaller(buffer["data"])


def smaller(png):
    """A picture, base64 of a PNG, as (kind, base64): the smallest of the forms that show its colours as they are.

    A plot becomes a PNG of 256 colours if no pixel is off by more than `TOLERANCE`, or else one whose channels are
    multiples of 5, white and black included, which are off by at most 2. For photographs, see `photograph`.
    """
    old = base64.b64decode(png)
    picture = Image.open(io.BytesIO(old)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    rounded = Image.fromarray(((np.asarray(picture, dtype=int) + 2) // 5 * 5).astype("uint8"))
    forms = [("png", old), ("png", encoded(rounded, "PNG", optimize=True))]
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    if np.abs(difference(picture, few)).max() <= TOLERANCE:
        forms.append(("png", encoded(few, "PNG", optimize=True)))
    if not picture.getcolors(MANY_COLOURS):
        forms += [("jpeg", jpeg) for jpeg in photograph(picture)]
    kind, new = min(forms, key=lambda form: len(form[1]))
    return kind, base64.b64encode(new).decode()


def photograph(picture):
    """The picture as a JPEG, not wide, in a list that is empty if none is good enough.

    A JPEG's single pixels waver around their colour, most of all beside sharp edges, where the eye doesn't see it. So
    what is compared is the mean colour of the areas of 8×8 pixels: in 99 of 100 it must be within `TOLERANCE`. Without
    `subsampling=0` four pixels would share a tint.
    """
    picture = picture.copy()
    picture.thumbnail((WIDEST, picture.height), Image.Resampling.LANCZOS)
    height, width = (side // 8 * 8 for side in (picture.height, picture.width))
    for quality in QUALITIES:
        jpeg = encoded(picture, "JPEG", quality=quality, subsampling=0, progressive=True)
        off = difference(picture, Image.open(io.BytesIO(jpeg)))[:height, :width]
        areas = off.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))
        if areas.size and np.quantile(np.abs(areas).max(axis=-1), 0.99) <= TOLERANCE:
            return [jpeg]
    return []


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def difference(one, other):
    """By how many grey levels each channel of each pixel differs, [H, W, 3]."""
    return np.asarray(one, dtype=int) - np.asarray(other.convert("RGB"), dtype=int)


def numbers(text):
    """{1, 3, 4, 5} for '1,3-5'."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=numbers, help="run only these, such as 12,15-17, and what they need")
    parser.add_argument("notebooks", nargs="+", type=Path)
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("CGAN_BUDGET", "demo")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for path in chosen.notebooks:
        start = time.monotonic()
        execute(path, chosen.cells)
        print(f"{path}: {time.monotonic() - start:.0f} s, {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
