"""How near drawings are to the training images."""

import numpy as np
import pytest
from gaussians import normal
from scipy.spatial.distance import cdist

from cgan_utils.errors import CganError
from cgan_utils.results.measures import memorisation, nearest


def test_nearest_tells_how_far_and_which():
    points, others = normal(70), normal(50, seed=1)
    distances, indices = nearest(points, others)
    np.testing.assert_array_equal(indices, cdist(points, others).argmin(axis=1))
    np.testing.assert_allclose(distances, cdist(points, others).min(axis=1), rtol=1e-12)
    assert nearest([[0.0, 0.0]], [[3.0, 4.0]]) == (5, 0)


def test_a_copy_is_nearest_and_exactly_0_away_however_long_the_vectors():
    others = normal(200, seed=3, shift=1000).round(3)
    distances, indices = nearest(others[::-1], others)
    assert (distances == 0).all()
    np.testing.assert_array_equal(indices, np.arange(200)[::-1])
    np.testing.assert_allclose(nearest(others + 1e-3, others)[0], np.sqrt(6) / 1000, rtol=1e-9)


def test_nearest_takes_images_and_reads_others_by_slices():
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), "uint8")
    distances, indices = nearest(images[7:9], images)
    assert distances.tolist() == [0, 0] and indices.tolist() == [7, 8]


def test_memorisation_of_new_images_and_of_copies():
    train, test, new = normal(1000), normal(500, seed=1), normal(500, seed=2)
    fresh = memorisation(new, train, test)
    assert fresh == {"ratio": pytest.approx(1, abs=0.1), "share": pytest.approx(0.01, abs=0.015)}
    assert memorisation(train[:300], train, test) == {"ratio": 0, "share": 1}
    some = memorisation(np.concatenate([new[:400], train[:100]]), train, test)
    assert 0.2 < some["share"] < 0.22
    assert 0.5 < some["ratio"] < fresh["ratio"]


def test_memorisation_is_a_ratio_of_medians():
    train, test, drawn = np.array([[0.0], [100.0]]), np.array([[2.0], [-4.0], [90.0]]), np.array([[1.0], [97.0]])
    assert memorisation(drawn, train, test) == {"ratio": 2 / 4, "share": 0.5}  # distances: 2, 4, 10 and 1, 3


def test_there_is_no_ratio_where_test_images_are_training_images():
    train = normal(20)
    assert memorisation(normal(5, seed=1), train, train) == {"share": 0}
    assert memorisation(train, train, train) == {"ratio": 1, "share": 1}
    with pytest.raises(CganError, match="'drawn' and 'test' have 6 and 5 numbers"):
        memorisation(train, train, normal(9, 5))
