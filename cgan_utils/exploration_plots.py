"""Figures of the notebooks that look at data, and their interactive views. Each function says what it shows.

Colours are safe for colour-blind eyes; where ten classes share a figure, a marker or a name stands beside the colour.
"""

import functools
import io

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from .datasets import CIFAR100_SUPERCLASSES
from .exploration import CHANNELS, class_moments, components_needed, explained, reconstruct
from .images import enlarge, grid, to_png
from .plots import picture_on
from .widgets import show

COLOURS = sns.color_palette("colorblind", 10)
MARKERS = "os^vD<>PX*"
TRAIN, TEST, ACCENT = "#0072b2", "#e69f00", "#d55e00"


def label_bars(data):
    """Number of images of each class, train and test."""
    figure, axes = plt.subplots(figsize=(10, 3.2), layout="constrained")
    places = np.arange(data.classes)
    for labels, name, colour, shift in ((data.y_train, "train", TRAIN, -0.2), (data.y_test, "test", TEST, 0.2)):
        counts = np.bincount(labels, minlength=data.classes)
        axes.bar(places + shift, counts, 0.4, color=colour, label=f"{name}: {len(labels):,} images")
    axes.set(title=f"{data.title}: images in each class", xlabel="class", ylabel="images")
    few = data.classes <= 20
    axes.set_xticks(*((places, data.class_names) if few else (places[::10],)))
    if few:
        axes.tick_params(axis="x", rotation=20 if max(map(len, data.class_names)) > 4 else 0)
    axes.legend(ncols=2, loc="lower right")
    return figure


def grey_levels(data):
    """Share of pixels at each grey level, one curve per channel, with the mean of each."""
    figure, axes = plt.subplots(figsize=(10, 3.2), layout="constrained")
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


def labelled_grid(images, names, columns, title="", row_names=None, tile=1.0):
    """Images [N, H, W, C] in reading order, each under its name; uint8. tile: width of one image in inches."""
    count, height, width, channels = images.shape
    band = round(0.22 * width / tile)  # white space for a line of text
    framed = np.full((count, height + band, width, channels), 255, "uint8")
    framed[:, band:] = images
    picture = grid(framed, columns, gap=2, background=255)
    rows = -(-count // columns)
    size = (columns * tile + (1.8 if row_names else 0.1), rows * tile * (height + band) / width + 0.5)
    figure, axes = plt.subplots(figsize=size, layout="constrained")
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
    strips = [_first(data, data.class_index(name), count) for name in classes]
    strips = np.stack([grid(strip, count, gap=0) for strip in strips])
    rows = [
        name.replace("_", " ").replace(" and ", "\nand ").replace("outdoor", "\noutdoor")
        for name in CIFAR100_SUPERCLASSES
    ]
    title = f"{data.title}: each class with its first {count} training images"
    return labelled_grid(strips, [name.replace("_", " ") for name in classes], 5, title, rows, tile=1.75)


def _first(data, label, count, start=0):
    """`count` training images of a class from the `start`-th on, white ones where there are too few."""
    images = data.x_train[np.flatnonzero(data.y_train == label)[start : start + count]]
    return np.concatenate([images, np.full((count - len(images), *data.shape), 255, "uint8")])


def class_means(means, names, title, columns=10):
    """The mean image of each class. means: grey levels, float [classes, H, W, C]."""
    return labelled_grid(np.rint(means).astype("uint8"), names, columns, f"{title}: mean image of each class")


def class_variances(variances, names, title, columns=10):
    """The variance image of each class, all on one scale; RGB shows the variance of each channel."""
    largest = variances.max()
    levels = np.rint(variances / largest * 255).astype("uint8")
    title = f"{title}: variance image of each class (white: {largest:,.0f} grey levels²)"
    return labelled_grid(levels, names, columns, title)


def variance_curve(pca, title, claim=None):
    """Share of variance explained by the first k components, marked at 90, 95 and 99 %, and at a `claim` of k."""
    figure, axes = plt.subplots(figsize=(9, 3.8), layout="constrained")
    k = np.arange(1, len(pca.components_) + 1)
    axes.semilogx(k, 100 * explained(pca, k), color=TRAIN, linewidth=2)
    for share, needed in components_needed(pca).items():
        axes.plot(needed, 100 * share, "o", color="black")
        axes.annotate(
            f"{share:.0%}: {needed:,}", (needed, 100 * share), (-8, 4), textcoords="offset points", ha="right"
        )
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
    figure, axes = plt.subplots(figsize=(0.8 * len(images) + 1.6, 0.8 * len(rows) + 0.5), layout="constrained")
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
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharex=True, sharey=True)
    for label, name in enumerate(names):
        own, colour = points[labels == label], COLOURS[label]
        left.scatter(*own.T, s=9, marker=MARKERS[label], color=colour, alpha=0.55, linewidths=0, label=name)
        # The contour that holds half of the class's estimated density.
        sns.kdeplot(x=own[:, 0], y=own[:, 1], levels=[0.5], ax=right, color=colour, linewidths=1.6)
        right.text(
            *own.mean(axis=0),
            name,
            ha="center",
            va="center",
            fontsize=8,
            color="black",
            bbox={"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.2", "linewidth": 1.6},
        )
    left.set(title=f"{len(points):,} images", xlabel=axis_names[0], ylabel=axis_names[1])
    right.set(title="centroid and densest half of each class", xlabel=axis_names[0])
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", markerscale=2.5, title="class")
    figure.suptitle(title)
    return figure


def group_panels(points, labels, names, title):
    """Many groups in the plane: a panel for each, its points and centroid (cross) before the cloud of all points."""
    rows = -(-len(names) // 5)
    figure, panels = plt.subplots(
        rows, 5, figsize=(11, 2.1 * rows + 0.4), layout="constrained", sharex=True, sharey=True
    )
    for group, (axes, name) in enumerate(zip(panels.flat, names, strict=True)):
        own = points[labels == group]
        axes.scatter(*points.T, s=1, color="#d0d0d0", linewidths=0, rasterized=True)
        axes.scatter(*own.T, s=5, color=TRAIN, linewidths=0, rasterized=True)
        axes.plot(*own.mean(axis=0), "X", color=ACCENT, markersize=9, markeredgecolor="white")
        axes.set_title(name.replace("_", " "), fontsize=8)
        axes.set(xticks=[], yticks=[])
    figure.suptitle(title)
    return figure


class PictureView:
    """Controls and the picture they choose: `render(**values)` gives its PNG, drawn once for each choice.

    The controls are attributes, by name, so that a notebook, or a test, can set their values.
    """

    def __init__(self, render, **controls):
        self.render, self.controls = functools.cache(render), controls
        self.image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start"))
        self.view = widgets.VBox([widgets.HBox(list(controls.values())), self.image])
        for name, control in controls.items():
            setattr(self, name, control)
            control.observe(lambda change: self.draw(), "value")
        self.draw()

    def draw(self):
        self.image.value = self.render(**{name: control.value for name, control in self.controls.items()})

    def _ipython_display_(self):
        show(self.view, bytes(self.image.value))


def figure_png(figure, dpi=100):
    """A figure as the bytes of a PNG file; the figure is closed."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()


def reconstruction_slider(pca, images, start=50):
    """A slider over the number of components: images [N, H, W, C] (above) and what k components keep (below)."""
    last = len(pca.components_)
    counts = sorted({0, 1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, last})
    counts = [k for k in counts if k <= last]
    options = [(f"{k:,} ({explained(pca, k) if k else 0:.1%})", k) for k in counts]
    scale = max(1, 640 // (len(images) * (images.shape[2] + 1)))

    def render(k):
        rows = np.concatenate([images, reconstruct(pca, images, k)])
        return to_png(enlarge(grid(rows, len(images), background=255), scale))

    slider = widgets.SelectionSlider(
        options=options,
        value=max(k for k in counts if k <= start),
        description="Components",
        style={"description_width": "90px"},
        layout=widgets.Layout(width="520px"),
    )
    return PictureView(render, k=slider)


def class_explorer(*sets, shown=15):
    """Choose a class: its mean image, its standard deviation and real images of it, `shown` to a page."""
    options = [(text, (index, label)) for index, data in enumerate(sets) for text, label in _class_options(data)]
    moments = functools.cache(lambda s: class_moments(sets[s].x_train, sets[s].y_train, sets[s].classes))

    def render(choice, page):
        index, label = choice
        data, (means, variances) = sets[index], moments(index)
        spread = np.sqrt(variances[label])
        figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.7), layout="constrained", width_ratios=(3, 3, 5))
        picture_on(axes[0], np.rint(means[label]).astype("uint8"), "mean image")
        picture_on(axes[1], np.rint(spread).astype("uint8"), "standard deviation")
        total = (data.y_train == label).sum()
        start = (page - 1) * shown % max(total, 1)
        picture_on(
            axes[2],
            grid(_first(data, label, shown, start), 5, background=255),
            f"from image {start + 1:,} of {total:,}",
        )
        figure.suptitle(f"{data.title}: {data.class_names[label]}")
        return figure_png(figure)

    choice = widgets.Dropdown(options=options, description="Class", layout=widgets.Layout(width="380px"))
    page = widgets.IntSlider(value=1, min=1, max=20, description="Page", layout=widgets.Layout(width="300px"))
    return PictureView(render, choice=choice, page=page)


def _class_options(data):
    """(what to read, label) of each class: CIFAR-100's under its super-class, others under the data set's title."""
    groups = CIFAR100_SUPERCLASSES if data.name == "cifar100" else {data.title: data.class_names}
    return [
        (f"{group}: {name}".replace("_", " "), data.class_index(name))
        for group, names in groups.items()
        for name in names
    ]
