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


def numbered(count=40, high=256):
    images = np.random.RandomState(1).randint(0, high, (count, 8, 8), np.uint8)
    images[0, 0, 0] = high - 1
    return images, np.arange(count) % 2


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64"])
def test_black_and_white_images_are_stretched_and_said(kind, capsys):
    images = (numbered()[0] > 127).astype(kind)
    np.testing.assert_array_equal(as_uint8(images)[..., 0], np.where(images, 255, 0))
    assert "255" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_the_largest_of_few_levels_is_white(kind, capsys):
    images = numbered(high=17)[0].astype(kind)
    np.testing.assert_array_equal(as_uint8(images)[..., 0], np.rint(images * (255.0 / 16)))
    assert "16" in capsys.readouterr().err


def test_dark_images_stay_as_they_are_with_a_notice(capsys):
    images = numbered(high=101)[0]
    np.testing.assert_array_equal(as_uint8(images)[..., 0], images)
    assert "100 of 255" in capsys.readouterr().err


DEEP_LEVELS, DEEP_GREYS = (200, 300, 4000, 4200, 60000), [1, 1, 16, 16, 233]


@pytest.mark.parametrize("pil", [True, False])
def test_pairs_of_16_bits_have_one_range(pil, capsys):
    arrays = [np.full((8, 8), level, "uint16") for level in DEEP_LEVELS]
    data = from_pairs([(Image.fromarray(array) if pil else array, 0) for array in arrays], test_share=0.2)
    assert pictures_of(data)[:, 0, 0, 0].tolist() == DEEP_GREYS
    assert capsys.readouterr().err.count("one range") == 1


@pytest.mark.parametrize(
    "names",
    [np.array(["a", "b"]), ("a", "b"), {"1": "b", "0": "a"}, ["a", "b"]],
    ids=["array", "tuple", "dict", "list"],
)
def test_class_names_of_many_kinds(names):
    assert from_arrays(*numbered(), class_names=names).class_names == ("a", "b")


def test_class_names_are_text():
    assert from_arrays(*numbered(), class_names=range(2)).class_names == ("0", "1")
    for wrong in ("ab", 2, ["a", "a"]):
        with pytest.raises(CganError, match="class.name") as error:
            from_arrays(*numbered(), class_names=wrong)
        assert is_one_sentence(error)


def test_names_from_unique_keep_their_digits():
    names, labels = np.unique(np.array([10, 1] * 20), return_inverse=True)
    data = from_arrays(numbered()[0], labels, class_names=names)
    assert [data.class_names[label] for label in data.y_train[:2]] == ["10", "1"]


def test_labels_that_are_numbers_in_text_are_in_the_order_of_folders():
    assert from_arrays(numbered(60)[0], ["10", "2", "1"] * 20).class_names == ("1", "2", "10")


def test_an_official_test_part_is_kept():
    (images, labels), (more, other) = numbered(40), numbered(6)
    data = from_arrays(images, labels, test=(more, other))
    pairs = from_pairs(list(zip(images, labels, strict=True)), test=list(zip(more, other, strict=True)))
    for each in (data, pairs):
        np.testing.assert_array_equal(each.x_train[..., 0], images)
        np.testing.assert_array_equal(each.x_test[..., 0], more)
        assert each.y_test.tolist() == other.tolist()
    for wrong in (more, (more[:, :7], other), (more, other[:3])):
        with pytest.raises(CganError) as error:
            from_arrays(images, labels, test=wrong)
        assert is_one_sentence(error)


class Endless:
    """As a PyTorch data set without an IndexError."""

    classes = ["cat", "dog", "never seen"]

    def __len__(self):
        return 20

    def __getitem__(self, i):
        return numbered()[0][i % 20], i % 2


def test_a_data_set_without_an_end_is_read_by_its_length_and_names_its_classes():
    data = from_pairs(Endless())
    assert (len(data.x_train) + len(data.x_test), data.class_names) == (20, ("cat", "dog"))


def test_columns_are_taken_by_their_names():
    images, labels = numbered()
    rows = [
        {"id": 7, "coarse_label": 0, "fine_label": label, "img": image}
        for image, label in zip(images, labels.tolist(), strict=True)
    ]
    np.testing.assert_array_equal(from_pairs(rows).y_train[:4], [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"left": [], "right": []}, "left, right"),
        (numbered(), "from_arrays"),
        (numbered()[0], "from_arrays"),
        ([(COLOURS, 0, 1)], "3 parts"),
        ([MODES["L"]], "no pair"),
        ([{"image": COLOURS, "caption": "a cat"}], "image, caption"),
        ([], "no pair"),
        (7, "int"),
    ],
    ids=["dict of parts", "two arrays", "array", "triples", "only images", "columns", "empty", "number"],
)
def test_what_is_no_pairs_is_one_sentence(wrong, said):
    with pytest.raises(CganError, match=said) as error:
        from_pairs(wrong)
    assert is_one_sentence(error)


def test_a_table_is_no_pairs():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(CganError, match="table"):
        from_pairs(pandas.DataFrame({"image": [1], "label": [0]}))


@pytest.mark.parametrize(
    "turned",
    [
        lambda x: x.transpose(0, 3, 1, 2),
        lambda x: x.astype(np.float32) / 255,
        lambda x: np.concatenate([x, np.full_like(x[..., :1], 255)], axis=3),
    ],
    ids=["channels first", "floats", "RGBA"],
)
def test_arrays_in_other_orders(turned):
    x = np.random.RandomState(0).randint(0, 256, (40, 16, 16, 3), np.uint8)
    x[0, 0, 0] = 0, 0, 255
    y = np.arange(40) % 2
    data = from_arrays(turned(x), y, test=(turned(x), y))
    np.testing.assert_array_equal(data.x_train, x)


def test_rows_of_pixels_and_whole_float_labels():
    x = np.random.RandomState(0).randint(0, 256, (40, 784), np.uint8)
    data = from_arrays(x, np.arange(40) % 2.0, test=(x, np.arange(40) % 2.0))
    np.testing.assert_array_equal(data.x_train.reshape(40, 784), x)
    assert data.y_train.tolist() == (np.arange(40) % 2).tolist() and data.class_names == ("0", "1")


def test_names_of_numpy_s_own_strings_and_numbers_in_their_order():
    x = np.random.RandomState(0).randint(0, 256, (40, 8, 8), np.uint8)
    names = np.array(["1", "2", "10", "3"])
    kinds = [str, object] + [np.dtypes.StringDType()] * hasattr(np.dtypes, "StringDType")
    for kind in kinds:
        assert from_arrays(x, np.tile(names, 10).astype(kind)).class_names == ("1", "2", "3", "10")


def test_transparent_pixels_are_white():
    x = np.zeros((20, 8, 8, 4), np.uint8)
    x[0, 0, 0] = 255
    assert from_arrays(x).x_train[1:].min() == 255


def test_batches_and_parts():
    x = np.random.RandomState(0).randint(0, 256, (40, 8, 8, 1), np.uint8)
    y = np.arange(40) % 2
    one_by_one = from_pairs(zip(x, y, strict=True))
    batched = from_pairs([(x[i : i + 16], y[i : i + 16]) for i in range(0, 40, 16)])
    assert batched.fingerprint == one_by_one.fingerprint
    rows = [{"image": image, "label": label} for image, label in zip(x, y, strict=True)]
    parts = from_pairs({"train": rows[:30], "validation": rows[30:]})
    assert (len(parts.x_train), len(parts.x_test)) == (30, 10)


@pytest.mark.parametrize("size", [3, 8])
def test_pictures_of_as_many_rows_as_their_one_hot_labels_have_classes_are_no_batches(size):
    x = np.random.RandomState(0).randint(0, 256, (60, 3, size, 8), np.uint8)
    data = from_pairs(list(zip(x, np.eye(3)[np.arange(60) % 3], strict=True)))
    assert data.shape == (size, 8, 3) and data.classes == 3
    grey = from_pairs([(x[i : i + 3, 0], np.arange(i, i + 3) % 4) for i in range(0, 60, 3)])
    assert grey.shape == (size, 8, 1) and grey.classes == 4 and len(grey.x_train) + len(grey.x_test) == 60


class OfTorchvision:
    """A data set like those of torchvision: (PIL image, int), with its `classes`, and without an end."""

    classes = ["cat", "dog"]

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return Image.fromarray(self.images[i % len(self)]), i % 2


def test_a_data_set_like_those_of_torchvision():
    x = np.random.RandomState(0).randint(0, 256, (40, 8, 8, 3), np.uint8)
    data = from_pairs(OfTorchvision(x))
    assert data.class_names == ("cat", "dog") and len(data.x_train) + len(data.x_test) == 40
    np.testing.assert_array_equal(data.x_train, x[:36])


@pytest.mark.parametrize("batch", [None, 1, 3, 16])
def test_a_loader_of_pytorch(batch):
    torch = pytest.importorskip("torch")
    x = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pairs = torch.utils.data.TensorDataset(x, torch.arange(40) % 2)
    data = from_pairs(torch.utils.data.DataLoader(pairs, batch_size=batch))
    np.testing.assert_array_equal(data.x_train, x[:36].permute(0, 2, 3, 1).numpy())
    assert data.y_train.tolist() == (np.arange(36) % 2).tolist()


def test_data_sets_of_hugging_face():
    hub = pytest.importorskip("datasets")
    x = np.random.RandomState(0).randint(0, 256, (40, 8, 8, 3), np.uint8)
    features = hub.Features({"image": hub.Image(), "label": hub.ClassLabel(names=["cat", "dog"])})
    columns = {"image": [Image.fromarray(image) for image in x], "label": [i % 2 for i in range(40)]}
    one = hub.Dataset.from_dict(columns, features)
    assert from_pairs(one).class_names == ("cat", "dog")
    parts = hub.DatasetDict(train=one.select(range(30)), test=one.select(range(30, 40)))
    data = from_pairs(parts)
    np.testing.assert_array_equal(data.x_train, x[:30])
    np.testing.assert_array_equal(data.x_test, x[30:])
    assert data.class_names == ("cat", "dog")
