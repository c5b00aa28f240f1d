"""How far one set of images is from another, measured on features: a row of numbers for each image.

The features may come from any network, or be the pixels; only values of the same features compare. What real images
score that trained nothing is the goal.

    frechet_distance   ≥ 0; two sets of the same kind approach 0 from above as they grow
    kernel_distance    0 on average for two sets of the same kind, of any size; a single value may be negative
    precision          share, 0 to 1, of the drawn images that lie where real ones do
    recall             share, 0 to 1, of the real images that lie where drawn ones do
    density            the same as precision, but counts how many real ones are there: about 1, and more is possible
    coverage           share, 0 to 1, of the real images that have a drawn one beside them
    memorisation       how much nearer to the training images drawn ones are than unseen real ones
    diversity          of one set of images: how different any two of them are, in grey levels (0 to 255)

Everything is computed in float64 and in blocks, so that memory grows with the images, never with their pairs.
"""

import numpy as np
from scipy.spatial.distance import cdist

from ..errors import CganError

BLOCK = 2**23  # pairs of images looked at together: 64 MiB of distances


def check(least=2, **sets):
    """The named sets of features as float64 arrays [N, d], N at least `least`, or an error that says what is wrong."""
    arrays = [np.asarray(own, "float64") for own in sets.values()]
    for name, own in zip(sets, arrays, strict=True):
        if own.ndim != 2 or not own.shape[1]:
            raise CganError(f"The features {name!r} have the shape {own.shape}: give a row of numbers for each image.")
        if len(own) < least:
            raise CganError(f"The features {name!r} are of too few images, {len(own)}: give {least} or more.")
        if not np.isfinite(own).all():
            raise CganError(f"The features {name!r} are not all finite numbers: look at the images behind them.")
        if own.shape[1] != arrays[0].shape[1]:
            widths = f"{arrays[0].shape[1]} and {own.shape[1]} numbers for each image"
            raise CganError(f"The features {next(iter(sets))!r} and {name!r} have {widths}: make both by one network.")
    return arrays


def _parts(points, others):
    """Slices of the points, each small enough to be held beside all of the others."""
    rows = max(1, BLOCK // len(others))
    return [slice(start, start + rows) for start in range(0, len(points), rows)]


def frechet_distance(first, second):
    """|m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁C₂)^½) of the means and covariances of features [N, d] and [M, d]: a float ≥ 0.

    The distance of two Gaussians (Dowson & Landau 1982), proposed for images by Heusel et al. 2017, equation 6. Few
    images make it too large: compare sets of the same size, of many more images than features.

    With C = RᵀR, where R [d, d] comes from the QR decomposition of the centred features, the last trace is the sum of
    the singular values of R₁R₂ᵀ: their squares are the eigenvalues of C₁C₂.
    """
    first, second = check(first=first, second=second)
    count, width = min(len(first), len(second)), first.shape[1]
    if count <= width:
        raise CganError(f"A Fréchet distance of {width} features needs {width + 1} images or more, not {count}.")
    shift = first.mean(axis=0) - second.mean(axis=0)
    roots = [np.linalg.qr(own - own.mean(axis=0), mode="r") / np.sqrt(len(own) - 1) for own in (first, second)]
    spread = sum((root**2).sum() for root in roots)
    shared = np.linalg.norm(roots[0] @ roots[1].T, "nuc")
    return max(0.0, float(shift @ shift + spread - 2 * shared))  # rounding may leave a little less than 0


def kernel_distance(first, second, subsets=10, size=1000, seed=0):
    """The kernel distance of features [N, d] and [M, d], and its standard error: two floats.

    The mean of `squared_mmd` over random subsets of `size` images, or as many as there are for each (Bińkowski et al.
    2018). Their subsets may overlap; here no image is in two, which makes them independent and the error an honest one.
    """
    first, second = check(first=first, second=second)
    size = min(size, min(len(first), len(second)) // max(subsets, 1))
    if min(subsets, size) < 2:
        wish = "it needs 2 subsets of 2 images or more"
        raise CganError(f"No kernel distance with a standard error from {subsets} subsets of {size} images: {wish}.")
    random = np.random.default_rng(seed)
    chosen = [random.permutation(len(own))[: subsets * size].reshape(subsets, size) for own in (first, second)]
    values = [squared_mmd(first[one], second[two]) for one, two in zip(*chosen, strict=True)]
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(subsets))


def squared_mmd(first, second):
    """Squared maximum mean discrepancy of features [N, d] and [M, d] under the kernel (x·y / d + 1)³: a float.

    Mean kernel of two of the first, plus of two of the second, minus twice that of one of each. No image is paired with
    itself, so the value is unbiased (Gretton et al. 2012), and often below 0 when the two sets are of the same kind.
    """
    first, second = check(first=first, second=second)
    within = 0
    for own in (first, second):
        itself = ((np.square(own).mean(axis=1) + 1) ** 3).sum()
        within += (_kernel_sum(own, own) - itself) / (len(own) * (len(own) - 1))
    return float(within - 2 * _kernel_sum(first, second) / (len(first) * len(second)))


def _kernel_sum(first, second):
    """The kernel of `squared_mmd`, summed over all pairs."""
    width = first.shape[1]
    return sum(((first[part] @ second.T / width + 1) ** 3).sum() for part in _parts(first, second))


def neighbourhoods(real, drawn, k=5):
    """Precision, recall, density and coverage of drawn features [M, d] beside real ones [N, d]: a dict of floats.

    Each image owns a ball that reaches to its `k`th nearest neighbour in its own set.

        precision, recall   share of the drawn images in a ball of a real one, of the real images in a ball of a drawn
                            one (Kynkäänniemi et al. 2019, equations 1 and 2)
        density             real balls that hold a drawn image, on average, divided by k (Naeem et al. 2020)
        coverage            share of the real balls that hold a drawn image (the same); two sets of one kind, equally
                            large, have about 1 - 2⁻ᵏ

    The edge belongs to the ball: of images that repeat, the ball is a point, and an equal image lies in it.
    """
    real, drawn = check(real=real, drawn=drawn)
    most = min(len(real), len(drawn)) - 1
    if not 1 <= k <= most:
        raise CganError(f"{len(real)} real and {len(drawn)} drawn images allow k from 1 to {most}, not {k}.")
    real_radii, drawn_radii = _radii(real, k), _radii(drawn, k)
    balls = np.zeros(len(drawn), int)  # of real images, that hold each drawn one
    covered, recalled = np.zeros((2, len(real)), bool)
    for part in _parts(real, drawn):
        distances = cdist(real[part], drawn)
        held = distances <= real_radii[part, None]
        balls += held.sum(axis=0)
        covered[part] = held.any(axis=1)
        recalled[part] = (distances <= drawn_radii).any(axis=1)
    shares = {"precision": balls > 0, "recall": recalled, "density": balls / k, "coverage": covered}
    return {name: float(values.mean()) for name, values in shares.items()}


def _radii(points, k):
    """Distance of each point to the `k`th nearest other one [N]; at place 0 of the sorted row is the point itself."""
    parts = _parts(points, points)
    return np.concatenate([np.partition(cdist(points[part], points), k, axis=1)[:, k] for part in parts])


def nearest(points, others):
    """Of each point [M, …], the distance to the nearest of the others [N, …], and which one that is; both [M].

    The others may be many, and of whatever reads them from a file by slices. |x - y|² = |x|² + |y|² - 2 x·y finds the
    nearest by a matrix product, several times as fast as by differences; rounding can confuse only others that are
    equally near to about seven digits. The distance is that of the difference: 0 for a copy.
    """
    (points,) = check(1, points=_rows(points))
    others = others if hasattr(others, "shape") else np.asarray(others)
    lowest, indices = np.full(len(points), np.inf), np.zeros(len(points), int)
    size = max(1, BLOCK // points.shape[1])
    for start in range(0, max(1, len(others)), size):
        _, some = check(1, points=points, others=_rows(others[start : start + size]))
        lengths = (some**2).sum(axis=1)
        for part in _parts(points, some):
            scores = lengths - 2 * points[part] @ some.T  # |x|² is the same for all
            found = scores.min(axis=1)
            nearer = found < lowest[part]
            lowest[part] = np.where(nearer, found, lowest[part])
            indices[part] = np.where(nearer, start + scores.argmin(axis=1), indices[part])
    return np.linalg.norm(points - _rows(others[indices]), axis=1), indices


def _rows(values):
    """[N, …] → [N, d]."""
    values = np.asarray(values)
    return values.reshape(len(values), -1) if values.ndim > 2 else values


def memorisation(drawn, train, test):
    """Whether drawn images [M, …] repeat the training ones [N, …]; `test` [K, …]: real ones that trained nothing.

    Pixels or features. The test images tell how near to a training image one comes without knowing it. After Meehan
    et al. 2020, who compare the same two sets of distances, to the nearest training image, by their ranks. A dict:

        ratio   median distance of the drawn images divided by that of the test images: 1 is the goal, towards 0 most
                drawn images are copies. Blurred images also lie nearer to everything: look at the pairs.
        share   share, 0 to 1, of drawn images as near as the nearest 1 % of the test images, or nearer: 0.01 is the
                goal. It sees a few copies among many images, which no median does.

    If half of the test images are copies of training images, and most drawn ones are not, there is no ratio, and
    the dict lacks it. Of one or two test images both are rough, and copies are found all the same.
    """
    drawn, test = check(1, drawn=_rows(drawn), test=_rows(test))
    near, usual = nearest(drawn, train)[0], nearest(test, train)[0]
    middle, norm = np.median(near), np.median(usual)
    share = {"share": float((near <= np.quantile(usual, 0.01)).mean())}
    if middle > norm == 0:
        return share
    return {"ratio": float(middle / norm) if norm else 1.0, **share}


def diversity(images):
    """Root mean square difference between two of the uint8 images [N, H, W, C], mean over all pairs: a float ≥ 0.

    In grey levels, 0 to 255; 0 for a single image, or if all are the same.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or not images.size:
        raise CganError(f"Diversity is of uint8 images, one or more, not {images.dtype} of shape {images.shape}.")
    rows = images.reshape(len(images), -1).astype("float64")
    lengths = (rows**2).sum(axis=1)
    blocks = (lengths[part, None] + lengths - 2 * rows[part] @ rows.T for part in _parts(rows, rows))
    total = sum(np.sqrt(squares).sum() for squares in blocks)  # of integers: nothing was rounded until here
    return float(total / max(len(rows) * (len(rows) - 1), 1) / np.sqrt(rows.shape[1]))
