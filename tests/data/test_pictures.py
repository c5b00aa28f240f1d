"""Pictures of every kind: what becomes of them."""

import numpy as np
import pytest
from painting import paint
from PIL import Image, ImageOps

from cgan_utils.data.folders import prepare

pytestmark = pytest.mark.usefixtures("cache")


def directly(path, size):
    """The picture as Pillow alone reads it."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS))


def test_pictures_are_cropped_to_the_centre_turned_upright_and_rgb(tmp_path):
    wide = Image.new("L", (90, 30), 0)
    wide.paste(200, (30, 0, 60, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    folder = tmp_path / "grey"
    folder.mkdir()
    wide.save(folder / "0.png", exif=exif)
    assert (prepare(folder, 30).images[0] == 200).all()


def test_small_pictures_are_enlarged(tmp_path):
    paint(tmp_path / "tiny" / "0.png", width=5, height=3)
    np.testing.assert_array_equal(prepare(tmp_path / "tiny", 64).images[0], directly(tmp_path / "tiny" / "0.png", 64))


def test_grey_pictures_have_one_channel(tmp_path):
    for i in range(3):
        level = Image.new("RGB" if i else "L", (9, 9), (40 * i,) * 3 if i else 7)
        (tmp_path / "grey").mkdir(exist_ok=True)
        level.save(tmp_path / "grey" / f"{i}.png")
    images = prepare(tmp_path / "grey", 8).images
    assert images.shape == (3, 8, 8, 1)
    assert np.asarray(images[[0, 2]])[:, 0, 0, 0].tolist() == [7, 80]
    paint(tmp_path / "grey" / "3.png")
    assert prepare(tmp_path / "grey", 8).images.shape == (4, 8, 8, 3)


RAMP = np.linspace(0, 1, 64)[None].repeat(64, 0)


@pytest.mark.parametrize(
    ("levels", "ending"),
    [
        ((RAMP * 65535).astype("uint16"), "png"),
        ((RAMP * 65535).astype("uint16"), "tif"),
        ((RAMP * 4095).astype("uint16"), "tif"),
        (RAMP.astype("float32"), "tif"),
        ((RAMP * 255).astype("float32"), "tif"),
        ((RAMP * 9 - 4).astype("float32"), "tif"),
        ((RAMP * 65535).astype("int32"), "tif"),
        ((RAMP * 10**6).astype("int32"), "tif"),
    ],
    ids=["png16", "tif16", "12 bits", "float 1", "float 255", "float -4 to 5", "int32", "wide int32"],
)
def test_more_than_eight_bits_are_scaled_and_said_once(levels, ending, tmp_path):
    for i in range(2):
        (tmp_path / "deep").mkdir(exist_ok=True)
        Image.fromarray(levels).save(tmp_path / "deep" / f"{i}.{ending}")
    prepared = prepare(tmp_path / "deep", 64)
    np.testing.assert_allclose(np.asarray(prepared.images)[0, 30, :, 0], RAMP[0] * 255, atol=1)
    assert prepared.report == "2 pictures have more than eight bits for a pixel, which are scaled to eight."


def red_square(hidden):
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = hidden
    pixels[16:48, 16:48] = (255, 0, 0, 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_what_is_transparent_shows_the_background(mode, tmp_path):
    picture = red_square((0, 255, 0)).convert(mode)
    (tmp_path / "stickers").mkdir()
    for i in range(2):
        picture.save(tmp_path / "stickers" / f"{i}.png")
    for background, level in (("white", 255), ("black", 0)):
        image = np.asarray(prepare(tmp_path / "stickers", 64, background=background).images)[0]
        assert (image[2, 2] == level).all()
        assert not (image[32, 32] == level).all()
