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
SHALLOW = (
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".bmp",
    ".ico",
    ".heic",
    ".heif",
    ".avif",
)  # eight bits, always, for Pillow
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


def read(path, size, background="white", extents=None):
    """A picture file → `Picture`.

    It is turned upright as its camera noted, laid on `background` where it is transparent, cropped at its centre and
    scaled. More than eight bits are scaled to them, by the range in `extents`: see `as_rgb`. Raises whatever its
    decoder raises.
    """
    from PIL import Image, ImageOps

    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a large photograph is no reason for alarm
    with Image.open(path, formats=_formats()) as image:
        deep = image.mode in DEEP
        image = as_rgb(image, background, extents)
        fitted = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
        return Picture(np.asarray(fitted), deep, *image.size)


def as_rgb(image, background="white", extents=None):
    """A PIL image of any mode → one of mode RGB: upright, on `background`, of eight bits; not cropped, not scaled.

    extents: of all pictures that are to have one order of brightness, see `extents_of`; without, of this one alone.
    """
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        extent = (extents or {}).get(_kind(image))
        image = Image.fromarray(eight_bits(np.asarray(image), extent))
    elif image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image.convert("RGBA"))
    return image.convert("RGB")


def _kind(image):
    """Whole numbers and floats have ranges of their own: 1 is white in the one and black in the other."""
    return "float" if image.mode == "F" else "integer"


def extents_of(image):
    """The range of a PIL image of more than eight bits, {"integer" or "float": [low, high, whole]}; whole: whether all
    are whole numbers. Empty for an image of eight bits, and for one without a finite value."""
    levels = np.asarray(image) if image.mode in DEEP else np.empty(0)
    return {_kind(image): _extent(levels)} if np.isfinite(levels).any() else {}


def joined(one, other):
    """The ranges of two sets of pictures together."""
    both = {**one, **other}
    for kind in one.keys() & other.keys():
        (low, high, whole), (lower, higher, wholly) = one[kind], other[kind]
        both[kind] = [min(low, lower), max(high, higher), whole and wholly]
    return both


def measure(path):
    """`extents_of` the picture in a file. Of one of eight bits no more than its header is read."""
    from PIL import Image

    with Image.open(path, formats=_formats()) as image:
        return extents_of(image)


def _extent(levels):
    finite = levels[np.isfinite(levels)].astype("float64")
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return [low, high, bool(np.array_equal(finite, np.round(finite)))]


def white(extent):
    """The largest value of the usual range that holds an extent, which becomes white, or None: see `eight_bits`."""
    low, high, whole = extent
    tops = [2**bits - 1 for bits in BITS] if whole and high > 1 else [1, 255]
    return next((top for top in tops if low >= 0 and high <= top), None)


def eight_bits(levels, extent=None):
    """Grey levels [...] of 16 bits, 32 bits or floating point → uint8, black and white where they were.

    Whole numbers are divided by the largest value of the narrowest usual depth that holds them (8, 12 or 16 bits),
    floats in [0, 1] are stretched, floats in [0, 255] are taken as they are; any other range is mapped from its
    smallest to its largest value. Gaps (NaN) are black and change nothing else; infinity is white, minus it black.
    extent: [low, high, whole] of all pictures that are scaled alike; by default of these levels.
    """
    extent = extent or _extent(levels)
    low, high, _ = extent
    top, levels = white(extent), levels.astype("float64")
    if top is None:
        levels, top = levels - low, high - low or 1  # all may be of one value
    levels = np.nan_to_num(levels, posinf=top, neginf=0).clip(0, top)
    return np.rint(255 * levels / top).astype("uint8")
