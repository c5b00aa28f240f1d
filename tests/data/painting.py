"""Files for folders of pictures."""

import numpy as np
from PIL import Image


def paint(path, seed=0, width=40, height=30):
    """A picture of random pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no picture")
