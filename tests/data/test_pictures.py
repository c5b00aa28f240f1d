"""Pictures of every kind: what becomes of them."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from painting import paint
from PIL import Image, ImageOps
from sentences import is_one_sentence

from cgan_utils.data.datasets import load
from cgan_utils.data.folders import prepare
from cgan_utils.data.pictures import eight_bits, is_picture
from cgan_utils.errors import CganError

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
    assert prepared.report.startswith(
        "2 pictures have more than eight bits for a pixel, which are scaled to eight, all by"
    )
    assert prepared.report.count("eight bits") == 1


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0.0, np.inf, 0.5, 1.0], [0, 255, 128, 255]),
        ([-np.inf, -4.0, 1.0, 6.0], [0, 0, 128, 255]),
        ([np.nan, 0.0, 1024.0, 2048.0], [0, 0, 64, 128]),
        ([-7.0, -7.0, -7.0, -7.0], [0, 0, 0, 0]),
        ([1e6, 1e6, 1e6, 1e6], [0, 0, 0, 0]),
        ([np.nan, np.nan, np.nan, np.inf], [0, 0, 0, 255]),
    ],
    ids=["infinity", "minus infinity", "a gap in 12 bits", "all negative", "all large", "no number"],
)
def test_gaps_and_infinities_leave_the_other_levels_as_they_are(levels, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert eight_bits(np.float32([levels]))[0].tolist() == expected


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


@pytest.mark.parametrize("background", [(255, 255, 255), None, 7, "whitish"])
def test_a_background_that_is_no_colour_is_one_sentence(background, tmp_path):
    paint(tmp_path / "flowers" / "0.png")
    with pytest.raises(CganError, match="is no colour; give one such as white") as error:
        load(tmp_path / "flowers", background=background)
    assert is_one_sentence(error)


# --- forms of files ---


def test_a_picture_may_be_the_first_thing_that_is_read(tmp_path):
    paint(tmp_path / "0.tga")
    code = "import sys; from cgan_utils.data.pictures import read; print(read(sys.argv[1], 8).pixels.shape)"
    command = [sys.executable, "-c", code, str(tmp_path / "0.tga")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "(8, 8, 3)\n"


def test_what_is_named_like_a_picture():
    assert all(map(is_picture, ("a.jpg", "A.JPEG", "a.png", "a.gif", "a.tif", "a.bmp", "a.ppm", "a.tga", "a.psd")))
    assert not any(map(is_picture, ("a.eps", "a.ps", "a.wmf", "a.mpg", "a.h5", "a.hdf", "a.grib", "a.pdf", ".a.jpg")))


def test_a_drawing_called_a_picture_starts_no_program(tmp_path, monkeypatch):
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was started"))
    for i in range(2):
        paint(tmp_path / "mixed" / f"{i}.png", i)
    Image.new("RGB", (9, 9)).save(tmp_path / "mixed" / "drawing.png", "EPS")
    assert prepare(tmp_path / "mixed", 8).left_out == {"drawing.png": "cannot identify image file 'drawing.png'"}


@pytest.mark.skipif(not is_picture("a.avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path):
    (tmp_path / "web").mkdir()
    for i in range(2):
        Image.new("RGB", (16, 16), (0, 200, 0)).save(tmp_path / "web" / f"{i}.avif")
    prepared = prepare(tmp_path / "web", 8)
    np.testing.assert_allclose(prepared.images[0], np.full((8, 8, 3), (0, 200, 0)), atol=5)
    assert prepared.report == ""


def save_deep(folder):
    folder.mkdir()
    for level in (200, 300, 4000, 4200, 60000):
        Image.fromarray(np.full((28, 28), level, "uint16")).save(folder / f"{level:05}.png")


def test_pictures_of_16_bits_keep_their_order_of_brightness(tmp_path):
    save_deep(tmp_path / "deep")
    prepared = prepare(tmp_path / "deep", 8)
    assert np.asarray(prepared.images)[:, 0, 0, 0].tolist() == [1, 1, 16, 16, 233]
    assert "65,535" in prepared.report


def test_deep_pictures_that_an_older_version_prepared_are_prepared_anew(tmp_path):
    save_deep(tmp_path / "deep")
    path = prepare(tmp_path / "deep", 8).images.path
    index = json.loads(path.with_suffix(".json").read_text())
    del index["extents"]
    path.with_suffix(".json").write_text(json.dumps(index))
    path.write_bytes(bytes(path.stat().st_size))
    assert np.asarray(prepare(tmp_path / "deep", 8).images)[4, 0, 0, 0] == 233
    assert not any(path.read_bytes())  # a training may still read it
