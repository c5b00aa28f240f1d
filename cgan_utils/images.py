"""From arrays of pixels to pictures: grids, enlargement, PNG bytes. No plotting library, so it takes milliseconds."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def grid(images, columns, gap=1, background=128):
    """uint8 images [N, H, W, C] in reading order → one uint8 picture, `columns` wide, `gap` pixels between them."""
    images = np.asarray(images)
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    picture = np.full(shape, background, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        picture[top : top + height, left : left + width] = image
    return picture


def cells(picture, height, width, gap=1):
    """The images [N, H, W, C] that `grid` put into a picture without empty places."""
    padded = np.pad(picture, ((0, gap), (0, gap), (0, 0)))
    rows, columns = padded.shape[0] // (height + gap), padded.shape[1] // (width + gap)
    apart = padded.reshape(rows, height + gap, columns, width + gap, -1)[:, :height, :, :width]
    return apart.swapaxes(1, 2).reshape(rows * columns, height, width, -1)


def folded(picture, rows):
    """A picture that is too tall for a screen as two blocks: the left halves of its upper and its lower rows."""
    height, width, channels = picture.shape
    if height < 1.5 * width:
        return picture
    cut = -(-rows // 2) * (height + 1) // rows  # where the lower rows begin, after a line of one pixel
    upper, lower = picture[: cut - 1, : width // 2], picture[cut:, : width // 2]
    lower = np.pad(lower, ((0, len(upper) - len(lower)), (0, 0), (0, 0)), constant_values=255)
    return np.concatenate([upper, np.full((len(upper), 4, channels), 255, "uint8"), lower], axis=1)


def enlarge(picture, scale):
    """Each pixel as a square of `scale` pixels: what the network drew, not a smoothed guess."""
    return np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)


def labelled(images, texts, columns, scale, line=15, gap=4):
    """uint8 images [N, H, W, C] in reading order, enlarged, each over its text of any lines → one picture, RGB.

    texts: (text, colour) of each; line: pixels from one line of text to the next.
    """
    height, width = images.shape[1] * scale, images.shape[2] * scale
    below = line * max(text.count("\n") + 1 for text, _ in texts) + gap
    rows = -(-len(images) // columns)
    picture = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + below)), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=line - 3)
    for i, (image, (text, colour)) in enumerate(zip(images, texts, strict=True)):
        left, top = i % columns * (width + gap), i // columns * (height + below)
        pixels = enlarge(image, scale)
        picture.paste(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels), (left, top))
        pen.text((left + width // 2, top + height + 1), text, colour, font, anchor="ma", align="center", spacing=1)
    return np.asarray(picture)


def to_png(picture):
    """A uint8 picture [H, W, C], C = 1 (grey) or 3 (RGB) → the bytes of a PNG file."""
    picture = np.asarray(picture)
    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(buffer, "png", compress_level=3)
    return buffer.getvalue()


def from_png(path):
    """The file's picture as uint8 [H, W, C], C = 1 or 3."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L" if image.mode == "L" else "RGB"))
    return pixels[..., None] if pixels.ndim == 2 else pixels
