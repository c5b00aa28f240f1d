"""A run as a folder that the Hugging Face Hub shows as a model."""

import shutil

import numpy as np

from ..errors import CganError
from ..files import CARD, EVOLUTION, METRICS, RECORD
from ..images import grid, to_png
from ..paths import whole_folder
from . import onnx

# It draws without this package, what the package draws.
SCRIPT = '''\
"""Draw an image: python generate.py CLASS SEED FILE.png (needs numpy, onnxruntime and pillow)."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

name, seed, file = sys.argv[1:]
session = onnxruntime.InferenceSession(str(Path(__file__).parent / "generator.onnx"))
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
first, *others = session.get_inputs()
noise = np.random.RandomState(int(seed)).standard_normal((1, first.shape[1])).astype("float32")
inputs = {first.name: noise}
if others:  # a class, by its name, else by its number
    label = classes.index(name) if name in classes else int(name)
    inputs["label"] = np.array([label], "int32")
(image,) = session.run(None, inputs)[0]  # [height, width, channels] in [-1, 1]
levels = np.rint((image + 1) * 127.5).clip(0, 255).astype("uint8")
Image.fromarray(levels.squeeze()).save(file)
'''
USE = """\
## Draw with it

![samples](sample.png)

    pip install numpy onnxruntime pillow
    python generate.py {name} 0 image.png    # a class and a seed
"""


def export(run, path):
    """Write into the new folder `path`: the run's card and pictures, its weights, generator.onnx, a sample, a script.

    Returns the path. Raises CganError where the folder has something in it, or what an .onnx file needs is missing.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise CganError(f"{path} is there already; name a new folder.")
    with whole_folder(path) as new:
        onnx.export(run, new / "generator.onnx")
        for name in (RECORD, METRICS, run.draws_with):
            if (run.path / name).is_file():
                shutil.copy(run.path / name, new)
        pictures = [*run.path.glob("*.png"), *(run.path / EVOLUTION).glob("*.png")]
        for picture in pictures:
            target = new / picture.relative_to(run.path)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(picture, target)
        columns = min(len(run.class_names), 10) if run.conditional else 10  # of a class each, where there are classes
        cells = np.arange(3 * columns)
        labels, seeds = (cells % columns, cells // columns) if run.conditional else (0 * cells, cells)
        (new / "sample.png").write_bytes(to_png(grid(run.draw(labels, seeds), columns)))
        (new / "generate.py").write_text(SCRIPT, encoding="utf-8")
        card = (run.path / CARD).read_text(encoding="utf-8").rstrip("\n")
        name = run.class_names[-1]
        use = USE.format(name=f'"{name}"' if " " in name else name)
        (new / CARD).write_text(f"{card}\n\n{use}", encoding="utf-8")
    return path
