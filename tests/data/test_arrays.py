"""Data sets from memory: PIL images of every mode."""

import io

import numpy as np
import pytest
from PIL import Image
from sentences import is_one_sentence

from cgan_utils.data.arrays import as_uint8, from_arrays, from_pairs
from cgan_utils.data.folders import prepare
from cgan_utils.errors import CganError

COLOURS = np.random.RandomState(0).randint(0, 256, (8, 8, 3), np.uint8)


def pictures_of(data):
    return np.concatenate([data.x_train, data.x_test])


def seen_through():
    image = Image.fromarray(COLOURS).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((8, 8)))
    return image


MODES = {
    "L": Image.fromarray(COLOURS[..., 0]),
    "1": Image.fromarray(COLOURS[..., 0] > 99),
    "P": Image.fromarray(COLOURS).quantize(9),
    "RGB": Image.fromarray(COLOURS),
    "RGBA": seen_through(),
    "LA": seen_through().convert("LA"),
    "CMYK": Image.fromarray(COLOURS).convert("CMYK"),
    "I;16": Image.fromarray(np.arange(64, dtype="uint16").reshape(8, 8) * 1000),
    "F": Image.fromarray(np.linspace(-3, 3, 64, dtype="float32").reshape(8, 8)),
}


@pytest.mark.parametrize("background", ["white", "black"])
@pytest.mark.parametrize("mode", MODES)
def test_pil_images_are_read_like_their_files(mode, background, tmp_path, cache):
    image, ending = MODES[mode], "tif" if mode in ("CMYK", "F") else "png"
    assert image.mode == mode
    (tmp_path / "files").mkdir()
    for i in range(2):
        image.save(tmp_path / "files" / f"{i}.{ending}")
    data = from_pairs([(image, 0)] * 2, test_share=0.5, background=background)
    expected = prepare(tmp_path / "files", 8, background=background).images
    np.testing.assert_array_equal(pictures_of(data), expected)
    assert data.background == background


def test_a_rounding_error_changes_no_other_pixel():
    whole = np.random.default_rng(0).random((4, 8, 8, 3)).astype("float32")
    for scale, value in ((1, -1e-6), (1, 1.00001), (255, 255.0002), (255, -1e-5)):
        images = scale * whole
        images[0, 0, 0, 0] = value
        np.testing.assert_array_equal(as_uint8(images).ravel()[1:], as_uint8(scale * whole).ravel()[1:])
    for wrong in (whole * 1.5, whole - 2, whole * 255 + 1):
        with pytest.raises(CganError, match="scale them"):
            as_uint8(wrong)


def test_labels_with_gaps_get_a_remedy_that_works():
    images, labels = np.zeros((20, 8, 8), "uint8"), np.array([3, 7] * 10)
    with pytest.raises(CganError, match="number the labels without gaps"):
        from_arrays(images, labels)
    assert from_arrays(images, np.unique(labels, return_inverse=True)[1]).classes == 2


def test_pil_images_are_turned_upright():
    image = Image.fromarray(COLOURS)
    image.getexif()[0x0112] = 6  # the camera was held upright
    data = from_pairs([(image, 0)] * 2, test_share=0.5)
    np.testing.assert_array_equal(pictures_of(data)[0], np.rot90(COLOURS, -1))


def test_grey_pil_images_have_colour_beside_others_in_colour():
    data = from_pairs([(MODES["L"], 0), (MODES["RGB"], 0)], test_share=0.5)
    np.testing.assert_array_equal(pictures_of(data), [COLOURS[..., :1].repeat(3, axis=2), COLOURS])


def test_a_damaged_pil_image_is_one_sentence():
    file = io.BytesIO()
    Image.fromarray(COLOURS).resize((99, 99)).save(file, "png")
    damaged = Image.open(io.BytesIO(file.getvalue()[:200]))
    with pytest.raises(CganError, match="The image of pair 1 can't be read .*; leave it out") as error:
        from_pairs([(MODES["RGB"], 0), (damaged, 0)])
    assert is_one_sentence(error)
