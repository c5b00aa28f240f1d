"""Images that stay in their file."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sentences import is_one_sentence

from cgan_utils.data.mapped import MappedImages
from cgan_utils.data.sources import DataError


@pytest.fixture
def stored(tmp_path):
    """Twenty random images, in memory and in a file."""
    array = np.random.RandomState(0).randint(0, 256, (20, 4, 5, 3), np.uint8)
    (tmp_path / "images").write_bytes(array.tobytes())
    return array, MappedImages(tmp_path / "images", array.shape)


KEYS = [
    3,
    -1,
    np.int64(7),
    [4, 4, 0, -2],
    np.array([9, 1, 5]),
    np.array([[1, 2], [3, 4]]),
    np.arange(20) % 3 == 0,
    [],
    (..., 0),
    (slice(None), 2, 2),
    (slice(2, 5), slice(None, None, 2)),
    ([1, 2], [3, 0]),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_fetching_equals_numpy(key, stored):
    array, images = stored
    fetched = images[key]
    assert type(fetched) is np.ndarray
    assert fetched.dtype == np.uint8
    np.testing.assert_array_equal(fetched, array[key])


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_fetching_from_a_view_equals_numpy(key, stored):
    array, images = stored
    order = np.random.RandomState(1).permutation(20)
    np.testing.assert_array_equal(images.view(order)[key], array[order][key])


@pytest.mark.parametrize(
    "part", [slice(None), slice(5), slice(-3, None), slice(15, 2, -4), slice(7, 7), slice(10, 99)], ids=str
)
def test_a_slice_reads_nothing(part, stored):
    array, images = stored
    path = images.path.rename(images.path.with_suffix(".away"))
    view = images[part]
    assert isinstance(view, MappedImages)
    assert (view.shape, len(view)) == (array[part].shape, len(array[part]))
    path.rename(images.path)
    np.testing.assert_array_equal(view, array[part])
    np.testing.assert_array_equal(view[::2], array[part][::2])


def test_it_serves_as_an_array(stored):
    array, images = stored
    np.testing.assert_array_equal([image.sum() for image in images], [image.sum() for image in array])
    np.testing.assert_array_equal(np.asarray(images, "float32"), array.astype("float32"))
    assert np.concatenate([images, images[:0]]).shape == array.shape
    with pytest.raises(ValueError, match="always a copy"):
        np.array(images, copy=False)
    for wrong in (20, [3, 20], -21):
        with pytest.raises(IndexError):
            images[wrong]


def test_what_is_fetched_is_a_copy(stored):
    array, images = stored
    for key in (3, [3, 4], ...):
        images[key][:] = 0
    np.testing.assert_array_equal(images, array)


def test_of_grey_images_only_those_asked_for_take_memory(tmp_path):
    shape = (2000, 32, 32, 3)
    with (tmp_path / "grey").open("wb") as out:
        out.truncate(np.prod(shape))
    images = MappedImages(tmp_path / "grey", shape, channels=1)
    tracemalloc.start()
    fetched = images[[5, 1999, 70]]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fetched.shape == (3, 32, 32, 1)
    assert peak < 100_000  # all of them are 2 MB


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what a process has mapped")
def test_no_map_stays_open(stored):
    array, images = stored
    kept = [images[3], images[[1, 2]], np.asarray(images), images[5:]]
    assert str(images.path) not in Path("/proc/self/maps").read_text()
    assert len(kept) == 4


def test_no_map_is_kept_by_what_was_fetched(stored):
    _, images = stored
    grey = MappedImages(images.path, (20, 4, 5, 3), channels=1)
    for fetched in (images[3], images[[1, 2]], np.asarray(images), grey[3], grey[[1, 2]]):
        assert fetched.flags.owndata
        assert fetched.base is None


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"short")], ids=["gone", "short"])
def test_a_file_that_is_no_longer_whole_is_one_sentence(damage, stored):
    _, images = stored
    damage(images.path)
    with pytest.raises(DataError, match="no longer whole") as error:
        images[3]
    assert is_one_sentence(error)
