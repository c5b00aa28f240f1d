"""What is in a data set, in numbers: tables of pixels, repeated images, class means, principal components, neighbours.

Nothing here draws; the figures are in exploration_figures.py. Pixels stay uint8 until a computation needs them.
"""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from ..data.known import CIFAR100_SUPERCLASSES, CLASS_NAMES

SHARES = (0.90, 0.95, 0.99)  # of the variance, for which the number of components is asked
CHANNELS = {1: ("",), 3: ("_red", "_green", "_blue")}


def pixel_frame(images, labels):
    """A table with a row per image: one uint8 column per pixel and channel, then 'label'.

    images: uint8 [N, H, W, C]. Column 'r04c17_red' is row 4, column 17, red; there are H·W·C + 1 columns.
    """
    count, height, width, channels = images.shape
    names = [f"r{r:02}c{c:02}{ch}" for r in range(height) for c in range(width) for ch in CHANNELS[channels]]
    table = pd.DataFrame(images.reshape(count, -1), columns=names)
    table["label"] = np.asarray(labels, "uint8")
    return table


def memory(table):
    """Megabytes (10⁶ bytes) of a table as it is, and if every column were float64, as many tools make it."""
    as_is, as_float64 = int(table.memory_usage(index=False).sum()), 8 * table.size
    return pd.Series({"as it is": as_is / 1e6, "as float64": as_float64 / 1e6}, name="megabytes").round(1)


def repeated_images(data):
    """Every image whose bytes occur more than once in the whole data set, train and test.

    Returns a table with columns group (equal images share a number), split, index and class; empty if all differ.
    """
    splits = (("train", data.x_train, data.y_train), ("test", data.x_test, data.y_test))
    content = pd.Series([image.tobytes() for _, x, _ in splits for image in x], dtype=object)
    table = pd.DataFrame(
        {
            "split": np.repeat(["train", "test"], [len(x) for _, x, _ in splits]),
            "index": np.concatenate([np.arange(len(x)) for _, x, _ in splits]),
            "class": np.asarray(data.class_names)[np.concatenate([y for _, _, y in splits])],
        }
    )[content.duplicated(keep=False)]
    table.insert(0, "group", pd.factorize(content[table.index])[0])
    return table.sort_values(["group", "split", "index"], ignore_index=True)


def count_repeats(table):
    """From `repeated_images`: copies beyond the first within each split, test images also in train, label conflicts."""
    in_train = set(table.loc[table["split"] == "train", "group"])
    test = table[table["split"] == "test"]
    return pd.Series(
        {
            "copies within train": int(table[table["split"] == "train"].duplicated("group").sum()),
            "copies within test": int(test.duplicated("group").sum()),
            "test images also in train": int(test["group"].isin(in_train).sum()),
            "groups whose labels disagree": int((table.groupby("group")["class"].nunique() > 1).sum()),
        },
        name=f"{len(table)} images in {table['group'].nunique()} groups",
    )


def channel_statistics(images):
    """Mean, standard deviation (grey levels, 0 to 255) and the shares of pixels at 0 and at 255, for each channel."""
    rows = {}
    for channel, name in enumerate(CHANNELS[images.shape[-1]]):
        # A histogram of 256 bins says it all, and needs no float copy of the images.
        share = np.bincount(images[..., channel].ravel(), minlength=256) / images[..., channel].size
        levels = np.arange(256)
        mean = share @ levels
        rows[name.strip("_") or "grey"] = [mean, np.sqrt(share @ (levels - mean) ** 2), share[0], share[255]]
    return pd.DataFrame(rows, index=["mean", "standard deviation", "share at 0", "share at 255"]).T.round(3)


def class_moments(images, labels, classes):
    """Mean and variance of each pixel within each class.

    images: uint8 [N, H, W, C]. Returns two float32 arrays [classes, H, W, C], in grey levels and grey levels
    squared; zeros for a class without images. Only one class at a time is held as floats.
    """
    means, variances = np.zeros((2, classes, *images.shape[1:]), "float32")
    for label in np.unique(labels):
        own = images[labels == label].astype("float32")
        means[label], variances[label] = own.mean(axis=0), own.var(axis=0)
    return means, variances


def vectors(images):
    """uint8 images [N, H, W, C] → float32 rows [N, H·W·C] in [0, 1]."""
    return images.reshape(len(images), -1).astype("float32") / np.float32(255)


def all_components(images):
    """Principal component analysis of all pixels: every component, no subsample.

    'covariance_eigh' makes the D × D covariance matrix once and takes its eigenvectors: with far more images than
    pixels, much less work than a singular value decomposition of the N × D images, which is for fewer images than
    pixels. float32 halves memory and time.
    """
    rows = vectors(images)
    # scikit-learn subtracts the mean only after summing the squares. In float32 that loses digits enough to move the
    # component counts; on rows that are centred already nothing is lost.
    centre = rows.mean(axis=0, dtype="float64").astype("float32")
    rows -= centre
    pca = PCA(svd_solver="covariance_eigh" if len(rows) > rows.shape[1] else "full").fit(rows)
    pca.mean_ = pca.mean_ + centre
    return pca


def explained(pca, k):
    """Share of the variance, 0 to 1, that the first k components explain; k an integer or several."""
    return np.cumsum(pca.explained_variance_ratio_, dtype="float64")[np.asarray(k) - 1]


def components_needed(pca, shares=SHARES):
    """{share: the smallest number of components that explains at least that share of the variance}."""
    cumulative = np.cumsum(pca.explained_variance_ratio_, dtype="float64")
    return {share: int(np.searchsorted(cumulative, share) + 1) for share in shares}


def project(pca, images, k):
    """uint8 images [N, H, W, C] → their first k coordinates [N, k]."""
    return (vectors(images) - pca.mean_) @ pca.components_[:k].T


def reconstruct(pca, images, k):
    """The images as their first k components describe them: uint8 [N, H, W, C]; k = 0 gives the mean image."""
    rows = project(pca, images, k) @ pca.components_[:k] + pca.mean_
    return np.rint(np.clip(rows, 0, 1) * 255).astype("uint8").reshape(images.shape)


def tsne(codes, perplexity=30, seed=0):
    """t-SNE of points [N, D] → [N, 2], by openTSNE. perplexity: about how many neighbours each point keeps close."""
    from openTSNE import TSNE

    # One thread: more of them wait for each other, and are five times slower, where other work shares the cores.
    points = TSNE(perplexity=perplexity, initialization="pca", random_state=seed, n_jobs=1).fit(np.asarray(codes))
    return np.asarray(points)


def mixing(spaces, labels):
    """How mixed the classes are in each of the `spaces`, {name: points [N, D]}; a table with a row per space.

    1-NN accuracy: share of points whose nearest other point is of their class; mixed classes bring it down to chance.
    silhouette: mean of (b - a) / max(a, b), with a the distance to the own class and b to the nearest other one:
    1 for well separated classes, 0 for overlapping ones, negative if another class is nearer.
    """
    labels = np.asarray(labels)
    rows = {}
    for name, points in spaces.items():
        # Asked without points, scikit-learn leaves each point itself out.
        nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(return_distance=False)[:, 0]
        accuracy = (labels[nearest] == labels).mean()
        rows[name] = [points.shape[1], accuracy, silhouette_score(points, labels)]
    return (
        pd.DataFrame(rows, index=["dimensions", "1-NN accuracy", "silhouette"]).T.astype({"dimensions": int}).round(3)
    )


def chance(labels):
    """1-NN accuracy if neighbours were drawn at random: the sum of the squared shares of the classes."""
    share = np.bincount(labels) / len(labels)
    return float(share @ share)


def superclass_labels(labels):
    """CIFAR-100's 100 labels [N] → indices [N] into the 20 names of `CIFAR100_SUPERCLASSES`."""
    of_class = {name: group for group, members in enumerate(CIFAR100_SUPERCLASSES.values()) for name in members}
    return np.array([of_class[name] for name in CLASS_NAMES["cifar100"]])[labels]
