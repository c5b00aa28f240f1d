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
# What we read, by Pillow's names: pixels alone, since others start a program (EPS) or are no pictures (HDF5, MPEG).
# Some builds of Pillow lack AVIF or WEBP; HEIF comes with the package pillow_heif. TGA is last: it has no signature.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "DIB", "JPEG2000", "PPM", "ICO", "PCX", "PSD")
FORMATS += ("QOI", "SGI", "DDS", "FITS", "TGA")
# Pictures too, which the user is told of where they can't be read: of telephones and the web, raw ones, drawings.
KNOWN = (".heic", ".heif", ".hif", ".avif", ".webp", ".jxl", ".jp2", ".mpo", ".dng", ".cr2", ".cr3", ".nef", ".arw")
KNOWN += (".orf", ".raf", ".rw2", ".pef", ".srw", ".svg", ".eps", ".wmf", ".emf", ".psb", ".xcf")


def is_picture(name):
    """Whether a file is named like a picture that can be read, .jpg or the like, and is not hidden."""
    from PIL import Image

    kind = Image.registered_extensions().get(Path(name).suffix.lower())
    return kind in _formats() and not name.startswith(".")


def is_unread(name):
    """Whether a file is named like a picture, .heic or the like, that can't be read here, and is not hidden."""
    return Path(name).suffix.lower() in KNOWN and not is_picture(name) and not name.startswith(".")


def _formats():
    from PIL import Image

    Image.init()  # else it knows no form yet
    return [kind for kind in FORMATS if kind in Image.OPEN]


def check_colour(name):
    """Raises CganError for what is no colour: those of CSS are, as white or #80a0ff."""
    from PIL import ImageColor

    try:
        ImageColor.getrgb(name)
    except (ValueError, TypeError, AttributeError):  # the last two for what is no text
        raise CganError(f"{name!r} is no colour; give one such as white, black or #80a0ff.") from None


def read(path, size, background="white"):
    """A picture file → `Picture`.

    It is turned upright as its camera noted, laid on `background` where it is transparent, cropped at its centre and
    scaled. More than eight bits are scaled to them: see `eight_bits`. Raises whatever its decoder raises.
    """
    from PIL import Image, ImageOps

    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a large photograph is no reason for alarm
    with Image.open(path, formats=_formats()) as image:
        deep = image.mode in DEEP
        image = as_rgb(image, background)
        fitted = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
        return Picture(np.asarray(fitted), deep, *image.size)


def as_rgb(image, background="white"):
    """A PIL image of any mode → one of mode RGB: upright, on `background`, of eight bits; not cropped, not scaled."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        image = Image.fromarray(eight_bits(np.asarray(image)))
    elif image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image.convert("RGBA"))
    return image.convert("RGB")


def eight_bits(levels):
    """Grey levels [H, W] of 16 bits, 32 bits or floating point → uint8 [H, W], black and white where they were.

    Whole numbers are divided by the largest value of the narrowest usual depth that holds them (8, 12 or 16 bits),
    floats in [0, 1] are stretched, floats in [0, 255] are taken as they are; any other range is mapped from its
    smallest to its largest value. Gaps (NaN) are black and change nothing else; infinity is white, minus it black.
    """
    levels = levels.astype("float64")
    finite = levels[np.isfinite(levels)]
    low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
    whole = np.array_equal(finite, np.round(finite))
    tops = [2**bits - 1 for bits in BITS] if whole and high > 1 else [1, 255]
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        levels, top = levels - low, high - low or 1  # all may be of one value
    return np.rint(255 * np.nan_to_num(levels, posinf=top, neginf=0) / top).astype("uint8")
