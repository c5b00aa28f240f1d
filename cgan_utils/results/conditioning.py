"""What the class does to a generator's drawings, in numbers that need no classifier."""

import numpy as np
import pandas as pd

from ..images import cells


def class_share(images):
    """Share, 0 to 1, of the variance of the pixels in which the class has a part: of images [classes, seeds, H, W, C].

    The images of a column are drawn from the same noise, so what differs within it is the work of the class: the mean
    over the noise of the variance between classes, of the whole variance. 0: the class changes nothing, the network
    ignores it. What the class changes in another way for each noise counts, too: K unrelated images in each column
    have (K - 1)/K. By the law of total variance, what is left is what the noise changes in all classes alike.
    """
    levels = np.asarray(images, "float64")
    total = levels.var(axis=(0, 1)).mean()
    return float(levels.var(axis=0).mean() / total) if total else 0.0


def class_shares(run):
    """The `class_share` of what a `Run` drew after each epoch of which it kept a picture: a Series over epochs."""
    kept = {epoch: cells(picture, *run.shape[:2]) for epoch, picture in run.evolution.items()}
    rows = len(run.shown_classes)
    shares = {epoch: class_share(images.reshape(rows, -1, *run.shape)) for epoch, images in kept.items()}
    return pd.Series(shares, name=run.name)


def class_means(images, labels):
    """The mean image of each class: uint8 [N, H, W, C] and labels [N] → [classes, H, W, C], float64, 0 to 255."""
    labels = np.asarray(labels)
    return np.stack([images[labels == label].mean(axis=0) for label in np.unique(labels)])


def resemblance(drawn, real):
    """How alike two sets of class means [classes, …] are, class by class: correlations [classes], from -1 to 1.

    What all classes have in common, the mean of the means, is taken off first. 0: the drawn class differs from the
    others in other places or colours than the real one does, or not at all.
    """
    own, true = ((means - means.mean(axis=0)).reshape(len(means), -1) for means in (drawn, real))
    norms = np.linalg.norm(own, axis=1) * np.linalg.norm(true, axis=1)
    return (own * true).sum(axis=1) / np.maximum(norms, 1e-9)
