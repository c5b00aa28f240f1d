"""One picture file as pixels: whatever its mode, depth, transparency or turn, as a viewer would show it."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import CganError


class Picture(NamedTuple):
    """`pixels` uint8 [size, size, 3]; `deep`: whether the file had more than eight bits a pixel; its sides."""

    pixels: np.ndarray
    deep: bool
    width: int
    height: int


DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # Pillow's modes of more than eight bits a pixel
BITS = (8, 12, 16)  # what cameras, microscopes and scanners deliver


def is_picture(name):
    """Whether a file is named like a picture that can be opened, .jpg or the like, and is not hidden."""
    from PIL import Image

    kind = Image.registered_extensions().get(Path(name).suffix.lower())
    return kind in Image.OPEN and not name.startswith(".")


def check_colour(name):
    """Raises CganError for what is no colour: those of CSS are, as white or #80a0ff."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(name)
    except ValueError:
        raise CganError(f"{name!r} is no colour; give one such as white, black or #80a0ff.") from None


def read(path, size, background="white"):
    """A picture file → `Picture`.

    It is turned upright as its camera noted, laid on `background` where it is transparent, cropped at its centre and
    scaled. More than eight bits are scaled to them: see `eight_bits`. Raises whatever its decoder raises.
    """
    from PIL import Image, ImageOps

    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a large photograph is no reason for alarm
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        deep = image.mode in DEEP
        if deep:
            image = Image.fromarray(eight_bits(np.asarray(image)))
        elif image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, background), image.convert("RGBA"))
        fitted = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
        return Picture(np.asarray(fitted), deep, *image.size)


def eight_bits(levels):
    """Grey levels [H, W] of 16 bits, 32 bits or floating point → uint8 [H, W], black and white where they were.

    Whole numbers are divided by the largest value of the narrowest usual depth that holds them (8, 12 or 16 bits),
    floats in [0, 1] are stretched, floats in [0, 255] are taken as they are; any other range is mapped from its
    smallest to its largest value.
    """
    levels = levels.astype("float64")
    low, high = np.nanmin(levels), np.nanmax(levels)
    whole = np.array_equal(levels, np.round(levels))
    tops = [2**bits - 1 for bits in BITS] if whole and high > 1 else [1, 255]
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        levels, top = levels - low, high - low
    return np.rint(255 * np.nan_to_num(levels) / top).astype("uint8")
