"""Figures of the notebooks that look at data; each function draws one and returns it.

Colours are safe for colour-blind eyes; where ten classes share a figure, a marker or a name stands beside the colour.
"""

import numpy as np
import seaborn as sns

from ..data.known import CIFAR100_SUPERCLASSES
from ..images import grid
from ..plain_figures import in_legend, subplots
from ..views.figures import picture_on
from .exploration import CHANNELS, components_needed, explained, reconstruct

COLOURS = sns.color_palette("colorblind", 10)
MARKERS = "os^vD<>PX*"
TRAIN, TEST, ACCENT = "#0072b2", "#e69f00", "#d55e00"


def label_bars(data):
    """Number of images of each class, train and test."""
    figure, axes = subplots(figsize=(10, 3.2), layout="constrained")
    places = np.arange(data.classes)
    for labels, name, colour, shift in ((data.y_train, "train", TRAIN, -0.2), (data.y_test, "test", TEST, 0.2)):
        counts = np.bincount(labels, minlength=data.classes)
        axes.bar(places + shift, counts, 0.4, color=colour, label=f"{name}: {len(labels):,} images")
    axes.set(title=f"{data.title}: images in each class", xlabel="class", ylabel="images")
    few = data.classes <= 20
    axes.set_xticks(*((places, data.class_names) if few else (places[::10],)))
    if few:
        axes.tick_params(axis="x", rotation=20 if max(map(len, data.class_names)) > 4 else 0)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    axes.legend(ncols=2, loc="upper right")
    return figure


def grey_levels(data):
    """Share of pixels at each grey level, one curve per channel, with the mean of each."""
    figure, axes = subplots(figsize=(10, 3.2), layout="constrained")
    colours = {"": "#333333", "_red": "#d55e00", "_green": "#009e73", "_blue": "#0072b2"}
    for channel, (name, style) in enumerate(zip(CHANNELS[data.shape[-1]], ("-", "--", ":"), strict=False)):
        share = np.bincount(data.x_train[..., channel].ravel(), minlength=256) / data.x_train[..., channel].size
        mean = share @ np.arange(256)
        label = f"{name.strip('_') or 'grey'}, mean {mean:.0f}"
        axes.plot(share, style, color=colours[name], label=label, linewidth=1.6)
        axes.axvline(mean, linestyle=style, color=colours[name], linewidth=0.8)
    title = f"{data.title}: how bright the pixels are"
    axes.set(title=title, xlabel="grey level (0 to 255)", ylabel="share of pixels", yscale="log")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def labelled_grid(images, names, columns, title="", row_names=None, tile=1.0, lines=1):
    """uint8 images [N, H, W, C] in reading order, each under its name of so many lines. tile: width in inches."""
    count, height, width, channels = images.shape
    band = round((0.06 + 0.16 * lines) * width / tile)  # white space for the text
    framed = np.full((count, height + band, width, channels), 255, "uint8")
    framed[:, band:] = images
    picture = grid(framed, columns, gap=2, background=255)
    rows = -(-count // columns)
    size = (columns * tile + (1.8 if row_names else 0.1), rows * tile * (height + band) / width + 0.5)
    figure, axes = subplots(figsize=size, layout="constrained")
    picture_on(axes, picture, title)
    for i, name in enumerate(names):
        left, top = i % columns * (width + 2), i // columns * (height + band + 2)
        axes.text(left + width / 2, top + band - 1, name, ha="center", va="bottom", fontsize=8)
    for row, name in enumerate(row_names or ()):
        middle = row * (height + band + 2) + band + height / 2
        axes.text(-width * 0.06, middle, name, ha="right", va="center", fontsize=8, fontweight="bold")
    return figure


def superclass_examples(data, count=3):
    """CIFAR-100: a row per super-class, and in it each class with its first `count` training images."""
    classes = [name for members in CIFAR100_SUPERCLASSES.values() for name in members]
    strips = [first_images(data, data.class_index(name), count) for name in classes]
    strips = np.stack([grid(strip, count, gap=0) for strip in strips])
    rows = [
        name.replace("_", " ").replace(" and ", "\nand ").replace("outdoor", "\noutdoor")
        for name in CIFAR100_SUPERCLASSES
    ]
    title = f"{data.title}: each class with its first {count} training images"
    return labelled_grid(strips, [name.replace("_", " ") for name in classes], 5, title, rows, tile=1.2)


def first_images(data, label, count, start=0):
    """`count` training images of a class from the `start`-th on, white ones where there are too few."""
    images = data.x_train[np.flatnonzero(data.y_train == label)[start : start + count]]
    return np.concatenate([images, np.full((count - len(images), *data.shape), 255, "uint8")])


def coarse(levels):
    """Grey levels 0 to 255 in steps of 5, as uint8: the eye sees no difference, and the PNG is half as large."""
    return (5 * np.rint(levels / 5)).astype("uint8")


def class_means(means, names, title, tile=1.0):
    """The mean image of each class. means: grey levels, float [classes, H, W, C]."""
    return labelled_grid(coarse(means), names, 10, f"{title}: mean image of each class", tile=tile)


def class_variances(variances, names, title, tile=1.0):
    """The variance image of each class, all on one scale; RGB shows the variance of each channel."""
    largest = variances.max()
    levels = coarse(variances / largest * 255)
    title = f"{title}: variance image of each class (white: {largest:,.0f} grey levels²)"
    return labelled_grid(levels, names, 10, title, tile=tile)


def variance_curve(pca, title, claim=None):
    """Share of variance explained by the first k components, marked at 90, 95 and 99 %, and at a `claim` of k."""
    figure, axes = subplots(figsize=(9, 3.8), layout="constrained")
    k = np.arange(1, len(pca.components_) + 1)
    axes.semilogx(k, 100 * explained(pca, k), color=TRAIN, linewidth=2)
    for share, needed in components_needed(pca).items():
        axes.plot(needed, 100 * share, "o", color="black")
        text = axes.annotate(f"{share:.0%}: {needed:,}", (needed, 100 * share), (6, -13), textcoords="offset points")
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    if claim and claim <= len(k):
        at = 100 * explained(pca, claim)
        axes.plot([claim, claim], [0, at], "--", color=ACCENT)
        axes.annotate(f"{claim} components:\n{at:.1f} %", (claim, 20), (8, 0), textcoords="offset points", color=ACCENT)
    axes.set(title=f"{title}: variance explained by the first k components", ylim=(0, 104))
    axes.set(xlabel="number of components k (logarithmic)", ylabel="explained variance (%)")
    axes.grid(alpha=0.3)
    return figure


def component_images(pca, shape, title, count=20):
    """The first components as images: mid-grey is 0, brighter adds, darker takes away. shape: (H, W, C)."""
    components = pca.components_[:count].reshape(-1, *shape)
    scale = np.abs(components).max(axis=(1, 2, 3), keepdims=True)
    images = np.rint(127.5 + 127.5 * components / scale).astype("uint8")
    names = [f"{i}: {share:.1%}" for i, share in enumerate(pca.explained_variance_ratio_[:count], start=1)]
    return labelled_grid(images, names, 10, f"{title}: the first components and the variance each explains")


def reconstructions(pca, images, counts, title):
    """A row per number of components: the images [N, H, W, C] as that many describe them; the originals last."""
    counts = [k for k in counts if k <= len(pca.components_)]
    rows = [*(reconstruct(pca, images, k) for k in counts), images]
    side = images.shape[1] + 1
    figure, axes = subplots(figsize=(0.8 * len(images) + 1.6, 0.8 * len(rows) + 0.5), layout="constrained")
    picture_on(axes, grid(np.concatenate(rows), len(images), background=255), title)
    axes.axis("on")
    names = [f"k = {k:,} ({explained(pca, k):.1%})" for k in counts] + ["original"]
    axes.set_yticks(np.arange(len(rows)) * side + side / 2, names)
    axes.set(xticks=[])
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)
    return figure


def scatter(points, labels, names, title, axis_names=("", "")):
    """Up to ten classes in the plane: every point (left); each class's centroid and densest half (right)."""
    figure, (left, right) = subplots(1, 2, figsize=(12, 5), layout="constrained")
    for label, name in enumerate(names):
        own, colour, marker = points[labels == label], COLOURS[label], MARKERS[label]
        left.scatter(*own.T, s=9, marker=marker, color=colour, alpha=0.55, linewidths=0, label=in_legend(name))
        # The contour that holds half of the class's estimated density.
        sns.kdeplot(x=own[:, 0], y=own[:, 1], levels=[0.5], ax=right, color=colour, linewidths=1.6)
    drawn = np.concatenate([path.vertices for lines in right.collections for path in lines.get_paths()])
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    right.axis([x for pair in zip(low - 0.05 * (high - low), high + 0.05 * (high - low), strict=True) for x in pair])
    name_centroids(right, np.stack([points[labels == label].mean(axis=0) for label in range(len(names))]), names)
    left.set(title=f"{len(points):,} images", xlabel=axis_names[0], ylabel=axis_names[1])
    right.set(title="centroid and densest half of each class (enlarged)", xlabel=axis_names[0], ylabel="")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", markerscale=2.5, title="class")
    figure.suptitle(title)
    return figure


def name_centroids(axes, centroids, names):
    """A marker at each centroid [N, 2], and its name beside it, moved up or down where it would cover another name."""
    width, height = 0.17 * np.ptp(axes.get_xlim()), 0.055 * np.ptp(axes.get_ylim())
    for label, ((x, centre), y) in enumerate(zip(centroids, _free_heights(centroids, width, height), strict=True)):
        axes.plot(x, centre, MARKERS[label], color=COLOURS[label], markersize=9, markeredgecolor="black")
        arrow = {"arrowstyle": "-", "color": "#555555"} if y != centre else None
        box = {"facecolor": "white", "edgecolor": COLOURS[label], "boxstyle": "round,pad=0.15", "alpha": 0.9}
        text = axes.annotate(names[label], (x, centre), (x + width / 3, y), fontsize=8, arrowprops=arrow, bbox=box)
        text.set_verticalalignment("center")


def _free_heights(places, width, height):
    """For each place (x, y) the nearest y where a label of this size covers none of the labels before it."""
    shifts = sorted(np.linspace(-10, 10, 81) * height, key=abs)
    taken = []
    for x, centre in places:
        heights = (centre + shift for shift in shifts)
        free = (y for y in heights if not any(abs(x - a) < width and abs(y - b) < height for a, b in taken))
        taken.append((x, next(free, centre)))
    return [y for _, y in taken]


def density(points, labels, title, axis_names):
    """The middle of the plane: density of all points (the darker, the more), and each group's centroid by number.

    A number that would cover another one is moved up or down, and a line leads to its centroid.
    """
    centroids = np.stack([points[labels == group].mean(axis=0) for group in np.unique(labels)])
    margin = 0.6 * np.ptp(centroids, axis=0)
    (left, low), (right, high) = centroids.min(axis=0) - margin, centroids.max(axis=0) + margin
    figure, axes = subplots(figsize=(7.5, 5.2), layout="constrained")
    picture = axes.hexbin(*points.T, gridsize=16, extent=(left, right, low, high), cmap="Blues", linewidths=0)
    heights = _free_heights(centroids, 0.035 * (right - left), 0.05 * (high - low))
    for number, (centroid, y) in enumerate(zip(centroids, heights, strict=True), start=1):
        box = {"facecolor": "white", "edgecolor": ACCENT, "boxstyle": "round,pad=0.15"}
        line = {"arrowstyle": "-", "color": ACCENT} if y != centroid[1] else None
        axes.annotate(
            number, centroid, (centroid[0], y), ha="center", va="center", fontsize=9, bbox=box, arrowprops=line
        )
    axes.set(title=title, xlabel=axis_names[0], ylabel=axis_names[1], xlim=(left, right), ylim=(low, high))
    figure.colorbar(picture, label="images in a cell")
    return figure


def group_panels(points, labels, names, title):
    """Many groups in the plane: a panel for each, its points and centroid (cross) before the cloud of all points."""
    rows = -(-len(names) // 5)
    figure, panels = subplots(rows, 5, figsize=(9.5, 1.75 * rows + 0.4), layout="constrained", sharex=True, sharey=True)
    for group, (axes, name) in enumerate(zip(panels.flat, names, strict=True)):
        own = points[labels == group]
        axes.scatter(*points[:1500].T, s=2, color="#d8d8d8", linewidths=0)
        axes.scatter(*own.T, s=5, color=TRAIN, linewidths=0)
        axes.plot(*own.mean(axis=0), "X", color=ACCENT, markersize=9, markeredgecolor="white")
        axes.set_title(name.replace("_", " "), fontsize=7)
        axes.set(xticks=[], yticks=[])
    figure.suptitle(title)
    return figure
