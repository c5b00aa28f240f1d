from itertools import combinations

import numpy as np
import pytest
from gaussians import exactly, normal
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics.pairwise import polynomial_kernel

from cgan_utils.errors import CganError
from cgan_utils.results import measures
from cgan_utils.results.measures import (
    diversity,
    frechet_distance,
    kernel_distance,
    memorisation,
    nearest,
    neighbourhoods,
    squared_mmd,
)

OF_TWO = [frechet_distance, kernel_distance, squared_mmd, neighbourhoods, nearest]


def by_root_of_matrix(first, second):
    """The equation of Heusel et al. as it is written."""
    one, two = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    shift = first.mean(axis=0) - second.mean(axis=0)
    return shift @ shift + np.trace(one + two - 2 * sqrtm(one @ two).real)


def all_pairs(real, drawn, k):
    """Precision, recall, density and coverage from all distances at once, point by point."""
    to_real = [sorted(np.linalg.norm(real - point, axis=1))[k] for point in real]
    to_drawn = [sorted(np.linalg.norm(drawn - point, axis=1))[k] for point in drawn]
    between = np.array([[np.linalg.norm(one - other) for other in drawn] for one in real])
    holds = np.array([[between[i, j] <= to_real[i] for j in range(len(drawn))] for i in range(len(real))])
    recalled = [any(between[i, j] <= to_drawn[j] for j in range(len(drawn))) for i in range(len(real))]
    return {
        "precision": holds.any(axis=0).mean(),
        "recall": np.mean(recalled),
        "density": holds.sum() / (k * len(drawn)),
        "coverage": holds.any(axis=1).mean(),
    }


def test_frechet_distance_of_gaussians_along_the_axes():
    first = exactly([0, 0, 0], np.diag([1.0, 4.0, 9.0]), count=50)
    second = exactly([1, 0, -2], np.diag([4.0, 4.0, 1.0]), count=80, seed=1)
    assert frechet_distance(first, second) == pytest.approx((1 + 4) + (1 - 2) ** 2 + 0 + (3 - 1) ** 2)


def test_frechet_distance_of_the_same_gaussian_is_0_and_does_not_depend_on_order_or_rotation():
    covariance = np.cov(normal(99), rowvar=False)
    first, again = (exactly(np.ones(6), covariance, count, seed=count) for count in (40, 60))
    second, turn = 2 * normal(50, seed=1), np.linalg.qr(normal(6, seed=3))[0]
    assert 0 <= frechet_distance(first, again) < 1e-12
    assert min(frechet_distance(own, own[::-1]) for own in (normal(40, seed=i) for i in range(20))) == 0
    assert frechet_distance(second, first) == pytest.approx(frechet_distance(first, second))
    assert frechet_distance(first @ turn, second @ turn) == pytest.approx(frechet_distance(first, second))


@pytest.mark.parametrize("seed", range(3))
def test_frechet_distance_is_that_of_the_root_of_the_matrix(seed):
    mix = normal(20, 20, seed + 10)
    first, second = normal(300, 20, seed) @ mix, np.maximum(normal(200, 20, seed + 1, shift=0.2), 0)
    assert frechet_distance(first, second) == pytest.approx(by_root_of_matrix(first, second), rel=1e-9)


@pytest.mark.usefixtures("torchvision")
def test_frechet_distance_is_that_of_torch_fidelity():
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torch_fidelity.metric_fid")
    first, second = normal(300, 16), normal(200, 16, seed=1, shift=0.2)
    statistics = [theirs.fid_features_to_statistics(torch.tensor(own)) for own in (first, second)]
    value = theirs.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(first, second) == pytest.approx(value, rel=1e-9)


def test_frechet_distance_to_one_image_repeated_is_a_number_and_too_few_images_are_refused():
    first, constant = exactly(np.zeros(3), np.diag([1.0, 2.0, 3.0]), count=30), np.full((4, 3), 2.0)
    assert frechet_distance(first, constant) == pytest.approx(3 * 4 + 6)
    assert frechet_distance(constant, constant) == 0
    with pytest.raises(CganError, match="3 features needs 4 images or more, not 3"):
        frechet_distance(first, constant[1:])


def test_squared_mmd_is_that_of_the_kernel_of_scikit_learn():
    first, second = normal(40), normal(30, seed=1, shift=0.5)
    xx, yy, xy = (polynomial_kernel(*pair) for pair in [(first, first), (second, second), (first, second)])
    within = sum((kernel.sum() - kernel.trace()) / (len(kernel) * (len(kernel) - 1)) for kernel in (xx, yy))
    assert squared_mmd(first, second) == pytest.approx(within - 2 * xy.mean(), rel=1e-12)


def test_squared_mmd_of_a_part_is_on_average_that_of_the_whole():
    first, second = normal(6, 3), normal(5, 3, seed=1, shift=0.4)
    parts = [[list(part) for part in combinations(range(len(own)), 3)] for own in (first, second)]
    values = [squared_mmd(first[one], second[two]) for one in parts[0] for two in parts[1]]
    assert np.mean(values) == pytest.approx(squared_mmd(first, second))


def test_kernel_distance_is_0_within_its_error_only_if_the_distribution_is_the_same():
    results = np.array([kernel_distance(normal(300, seed=2 * i), normal(200, seed=2 * i + 1)) for i in range(60)])
    scores = results[:, 0] / results[:, 1]
    assert abs(scores.mean()) < 3 / np.sqrt(60)
    assert 0.8 < scores.std() < 1.5  # an error from overlapping subsets would be too small, and this too large
    assert (np.abs(scores) < 3).mean() > 0.95
    assert (results[:, 0] < 0).any()
    value, error = kernel_distance(normal(300), normal(300, seed=1, shift=0.5))
    assert value > 5 * error > 0


def test_kernel_distance_is_the_mean_of_separate_subsets(monkeypatch):
    seen = []
    monkeypatch.setattr(measures, "squared_mmd", lambda one, two: seen.append((one, two)) or float(len(seen)))
    value, error = kernel_distance(np.arange(40.0)[:, None], np.arange(90.0)[:, None], subsets=4, size=7)
    assert (value, error) == (2.5, pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2))
    for side in zip(*seen, strict=True):
        assert [len(subset) for subset in side] == [7] * 4
        assert len(np.unique(np.concatenate(side))) == 28


def test_kernel_distance_takes_smaller_subsets_of_few_images_and_repeats_itself():
    few = normal(20), normal(25, seed=1)
    assert kernel_distance(*few) == kernel_distance(*few) != kernel_distance(*few, seed=1)
    assert kernel_distance(*few, size=2) == kernel_distance(*few)  # 20 images: 10 subsets of 2
    with pytest.raises(CganError, match="10 subsets of 1 images: it needs 2 subsets of 2 images or more"):
        kernel_distance(normal(19), normal(99))
    for choice in ({"subsets": 1}, {"subsets": 0}, {"size": 1}):
        with pytest.raises(CganError, match="No kernel distance"):
            kernel_distance(*few, **choice)


@pytest.mark.parametrize("k", [1, 5])
def test_neighbourhoods_are_those_of_all_pairs(k):
    real, drawn = normal(60, 3), normal(45, 3, seed=1, shift=0.7)
    result = neighbourhoods(real, drawn, k)
    assert result == pytest.approx(all_pairs(real, drawn, k))
    assert len({0, *result.values()}) == 5  # else mixing them up would go unseen


def test_neighbourhoods_are_those_of_the_package_of_naeem():
    theirs = pytest.importorskip("prdc")
    real, drawn = normal(200, 8), normal(150, 8, seed=1, shift=0.3)
    assert neighbourhoods(real, drawn) == pytest.approx(theirs.compute_prdc(real, drawn, nearest_k=5))


def test_neighbourhoods_of_points_on_a_line():
    real, drawn = np.array([[0.0], [1.0], [10.0], [12.0]]), np.array([[-1.0], [0.5], [100.0]])
    result = neighbourhoods(real, drawn, k=1)  # radii: 1, 1, 2, 2 and 1.5, 1.5, 99.5
    assert result == pytest.approx({"precision": 2 / 3, "recall": 1, "density": 3 / 3, "coverage": 2 / 4})


def test_coverage_and_density_of_one_distribution_are_those_expected():
    n, m, k = 80, 120, 3
    results = [neighbourhoods(normal(n, 2, i), normal(m, 2, 1000 + i), k) for i in range(100)]
    missed = np.prod([(n - i) / (m + n - i) for i in range(1, k + 1)])  # the k nearest of both sets are all real
    assert np.mean([result["coverage"] for result in results]) == pytest.approx(1 - missed, abs=0.01)
    assert np.mean([result["density"] for result in results]) == pytest.approx(1, abs=0.03)


def test_drawing_the_real_images_is_perfect_and_another_place_is_nothing():
    real = normal(50)
    perfect = {"precision": 1, "recall": 1, "density": 6 / 5, "coverage": 1}  # a ball holds its centre and 5 others
    assert neighbourhoods(real, real) == pytest.approx(perfect)
    assert set(neighbourhoods(real, real + 100).values()) == {0}


def test_repeated_images_count_as_inside():
    real = np.repeat(normal(4), 10, axis=0)
    assert neighbourhoods(real, real[::2], k=3) == {"precision": 1, "recall": 1, "density": 10 / 3, "coverage": 1}
    assert neighbourhoods(real, real[:10], k=3)["coverage"] == 0.25


def test_a_k_that_the_images_do_not_allow_is_refused():
    assert neighbourhoods(normal(30), normal(9), k=8)["recall"] > 0
    for k in (0, 9, 100):
        with pytest.raises(CganError, match=f"30 real and 9 drawn images allow k from 1 to 8, not {k}"):
            neighbourhoods(normal(30), normal(9), k=k)


def test_diversity_is_the_root_mean_square_difference_of_all_pairs():
    images = np.random.default_rng(0).integers(0, 256, (25, 6, 5, 3), dtype="uint8")
    assert diversity(images) == pytest.approx(pdist(images.reshape(25, 90)).mean() / np.sqrt(90), rel=1e-12)
    assert diversity(np.array([0, 10, 40], "uint8").reshape(3, 1, 1, 1)) == pytest.approx(80 / 3)


def test_equal_images_have_no_diversity_one_image_neither_and_no_image_is_refused():
    assert diversity(np.full((7, 4, 4, 1), 200, "uint8")) == 0
    assert diversity(np.full((1, 4, 4, 1), 200, "uint8")) == 0
    for images in (np.zeros((0, 4, 4, 1), "uint8"), np.zeros((3, 4, 4, 1), "float32")):
        with pytest.raises(CganError, match="uint8 images, one or more"):
            diversity(images)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch):
    features = normal(53), normal(37, seed=1, shift=0.4)
    images = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 1), dtype="uint8")

    def everything():
        values = [*neighbourhoods(*features).values(), *memorisation(*features, normal(20, seed=2)).values()]
        return [*values, squared_mmd(*features), diversity(images), *np.concatenate(nearest(*features))]

    whole = everything()
    for block in (1, 37, 38, 53 * 10):  # a row at a time, either side of one, ten rows and a rest
        monkeypatch.setattr(measures, "BLOCK", block)
        np.testing.assert_allclose(everything(), whole, rtol=1e-12)


def test_no_block_is_larger_than_it_may_be(monkeypatch):
    sizes = []
    monkeypatch.setattr(measures, "BLOCK", 500)
    monkeypatch.setattr(measures, "cdist", lambda *pair: sizes.append(cdist(*pair).size) or cdist(*pair))
    neighbourhoods(normal(90), normal(70, seed=1))
    assert max(sizes) <= 500
    assert sum(sizes) == 90 * 90 + 70 * 70 + 90 * 70


@pytest.mark.parametrize("value", [0.0, 0.1, 255.0])
def test_one_image_repeated_gives_numbers(value):
    constant, other = np.full((20, 3), value), np.full((30, 3), value)
    assert frechet_distance(constant, other) == pytest.approx(0, abs=1e-9)
    assert kernel_distance(constant, other) == pytest.approx((0, 0), abs=1e-6 * (value**2 + 1) ** 3)
    assert neighbourhoods(constant, other) == {"precision": 1, "recall": 1, "density": 20 / 5, "coverage": 1}
    assert nearest(constant, other)[0].max() == 0
    assert memorisation(constant, other, other) == {"ratio": 1, "share": 1}
    for measure in (frechet_distance, kernel_distance, neighbourhoods):
        result = measure(normal(20, 3), constant)
        assert np.isfinite(list(result.values()) if isinstance(result, dict) else result).all()


@pytest.mark.parametrize("measure", OF_TWO)
@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (np.zeros((9, 4, 4, 1)), "have the shape .9, 4, 4, 1.: give a row"),
        ([], "have the shape .0,.: give a row"),
        (np.zeros((0, 6)), "too few images, 0"),
        (np.full((9, 6), np.nan), "not all finite numbers"),
        (np.full((9, 6), np.inf), "not all finite numbers"),
        (normal(9, 5), "have 6 and 5 numbers for each image: make both by one network"),
    ],
)
def test_features_that_cannot_be_measured_are_refused_in_a_sentence(measure, second, sentence):
    if measure is nearest and np.ndim(second) == 4:
        sentence = "have 6 and 16 numbers"  # it flattens images
    with pytest.raises(CganError, match=sentence):
        measure(normal(9), second)
    if measure is not nearest:
        with pytest.raises(CganError, match="'(second|drawn)' are of too few images, 1: give 2 or more"):
            measure(normal(9), normal(1))
