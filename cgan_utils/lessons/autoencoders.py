"""Figures of the notebooks on autoencoders; each function draws one and returns it, unless it says otherwise.

Colours are safe for colour-blind eyes, and those of the notebooks that look at data; classes differ in marker, too.
"""

import ipywidgets as widgets
import numpy as np
from sklearn.metrics import confusion_matrix

from ..images import enlarge, grid, to_png
from ..models.layers import to_uint8
from ..models.sampling import decode
from ..plain_figures import subplots
from ..views.evaluation import matrix
from ..views.figures import picture_on
from ..views.widgets import PictureView, figure_png
from .exploration_figures import ACCENT, COLOURS, MARKERS, TRAIN, labelled_grid

STYLES = (TRAIN, ACCENT, "#009e73", "#cc79a7", "#000000")


def planes(spaces, labels, names, title):
    """The same images on several maps, {name: points [N, 2]}, side by side: a colour and a marker for each class."""
    figure, axes = _panels(len(spaces))
    for axis, (name, points) in zip(axes, spaces.items(), strict=True):
        for label, kind in enumerate(names):
            own = points[labels == label]
            style = {"s": 6, "marker": MARKERS[label], "color": COLOURS[label], "alpha": 0.5, "linewidths": 0}
            axis.scatter(*own.T, **style, label=kind, rasterized=True)
        axis.set(title=name, xlabel="first coordinate", ylabel="second coordinate")
    handles = axes[0].get_legend_handles_labels()
    legend = figure.legend(*handles, loc="outside right center", markerscale=3, title="class")
    for handle in legend.legend_handles:
        handle.set_alpha(1)
    figure.suptitle(title)
    return figure


def image_clouds(spaces, images, title, cells=26):
    """The same maps as clouds of images: a cell of a map shows one of the uint8 images [N, H, W, C] that lie in it.

    One map below the other, so that the images in its cells are large enough to tell what they show.
    """
    figure, axes = subplots(len(spaces), figsize=(7, 6.4 * len(spaces)), squeeze=False, layout="constrained")
    for axis, (name, points) in zip(axes.flat, spaces.items(), strict=True):
        picture, (left, right, low, high) = cloud(points, images, cells)
        axis.imshow(picture[..., 0], cmap="gray_r", vmin=0, vmax=255, extent=(left, right, low, high), aspect="auto")
        axis.set(title=name, xlabel="first coordinate", ylabel="second coordinate")
    figure.suptitle(title)
    return figure


def cloud(points, images, cells):
    """(uint8 picture of cells × cells images, black where no point lies; its place (left, right, low, high)).

    A cell shows the image whose point is nearest to its centre. The outermost hundredth of the points is left out.
    """
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    size = np.where(high > low, high - low, 1)
    places = (points - low) / size * cells
    inside = ((places >= 0) & (places < cells)).all(axis=1).nonzero()[0]
    far = np.abs(places[inside] % 1 - 0.5).max(axis=1)
    shown = np.zeros((cells, cells, *images.shape[1:]), "uint8")
    for i in inside[np.argsort(-far)]:  # the nearest comes last, and stays
        column, row = places[i].astype(int)
        shown[cells - 1 - row, column] = images[i]
    right, top = low + size
    return grid(shown.reshape(-1, *images.shape[1:]), cells, gap=0), (low[0], right, low[1], top)


def decoded_grid(decoder, x, y):
    """uint8 picture of what a decoder draws at the points (x, y) of the plane: x to the right, y upwards."""
    points = np.array([(a, b) for b in y[::-1] for a in x])
    return grid(to_uint8(decode(decoder, points, np.zeros(len(points)))), len(x), gap=0)


def decoded_plane(decoder, x, y, title):
    """`decoded_grid` as a figure with the coordinates on its axes."""
    figure, axes = subplots(figsize=(0.5 * len(x) + 1, 0.5 * len(y) + 1), layout="constrained")
    half = [0.5 * (values[1] - values[0]) for values in (x, y)]
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    axes.imshow(decoded_grid(decoder, x, y)[..., 0], cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    axes.set(title=title, xlabel="first coordinate", ylabel="second coordinate")
    return figure


def image_rows(rows, title):
    """{name: uint8 images [N, H, W, C]}, a row each, one below the other."""
    count = len(next(iter(rows.values())))
    return labelled_grid(np.concatenate(list(rows.values())), (), count, title, list(rows), tile=0.8, lines=0)


def curves(histories, columns, title, best=None):
    """A panel for each column of the histories, {name: DataFrame}: solid in training, dashed on held-out images.

    columns: {name in the history: (title of the panel, label of its axis)}; best: column whose lowest held-out value
    is marked, the epoch whose weights are kept.
    """
    figure, axes = _panels(len(columns), width=5.2, height=3.8)
    for axis, (column, (name, unit)) in zip(axes, columns.items(), strict=True):
        for (training, history), colour in zip(histories.items(), STYLES, strict=False):
            rows = history.dropna(subset=column)
            axis.plot(rows["epoch"], rows[column], color=colour, label=f"{training}, training")
            axis.plot(rows["epoch"], rows[f"val_{column}"], "--", color=colour, label=f"{training}, held out")
            if best in rows:
                kept = rows.loc[rows[f"val_{best}"].idxmin()]
                axis.plot(kept["epoch"], kept[f"val_{column}"], "o", color=colour)
        axis.set(title=name, xlabel="epoch", ylabel=unit)
        axis.grid(alpha=0.3)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend(fontsize=8)
    figure.suptitle(title)
    return figure


def confusion(truth, guesses, names, title):
    """How many images of each class (rows) were taken for which (columns). Labels and guesses [N]."""
    counts = confusion_matrix(truth, guesses, labels=range(len(names)))
    return matrix(counts, names, names, title, "predicted class", "true class")


def predictions(images, truth, chances, names, title, columns=8):
    """uint8 images [N, H, W, C] under their true class and the predicted one, with its probability. chances: [N, K]."""
    guesses = chances.argmax(axis=1)
    captions = [
        f"{names[right]}\n✓ {chance:.0%}" if guess == right else f"{names[right]}\n→ {names[guess]} {chance:.0%}"
        for right, guess, chance in zip(truth, guesses, chances.max(axis=1), strict=True)
    ]
    return labelled_grid(images, captions, columns, title, tile=1.35, lines=2)


def verdict(image, chances, names, truth):
    """One image and the probability of each class as a bar; the true class is marked."""
    figure, (left, right) = subplots(1, 2, figsize=(7.4, 3), layout="constrained", width_ratios=(1, 1.6))
    picture_on(left, image, f"true class: {names[truth]}")
    colours = [ACCENT if label == truth else TRAIN for label in range(len(names))]
    bars = right.barh(names, 100 * chances, color=colours)
    right.bar_label(
        bars, [f"{100 * chance:.1f}" if chance >= 0.001 else "" for chance in chances], padding=2, fontsize=8
    )
    right.set(xlim=(0, 112), xlabel="probability (%); the true class in orange", title="the classifier's answer")
    right.invert_yaxis()
    return figure


def _panels(count, width=4.4, height=4.2):
    figure, axes = subplots(1, count, figsize=(width * count, height), layout="constrained")
    return figure, np.atleast_1d(axes)


TILES, SCALE = 12, 12  # decoded images along each side of the map; pixels for one of the chosen image


def reach(codes, outer=2):
    """(low [d], high [d]): where codes [N, d] lie, without the outermost `outer` percent at each end."""
    return np.percentile(codes, (outer, 100 - outer), axis=0)


def point_and_decode(decoder, codes):
    """Two sliders choose a point of the plane: its place on the map of decoded images (left), and its image (right).

    codes: points [N, 2] of real images, which say how far the sliders reach.
    """
    (low, high), middle = reach(codes), np.median(codes, axis=0)
    x, y = (np.linspace(*ends, TILES) for ends in zip(low, high, strict=True))
    background, side = decoded_grid(decoder, x, y), TILES * 28

    def render(first, second):
        image = to_uint8(decode(decoder, [(first, second)], [0]))[0]
        # A tile's centre is its point, so the outermost half tiles lie beyond the sliders' ends.
        share = ((first, second) - low) / (high - low) * (TILES - 1) / TILES + 0.5 / TILES
        column, row = int(share[0] * side), side - 1 - int(share[1] * side)
        plan = np.repeat(background, 3, axis=2)
        plan[row, :], plan[:, column] = (230, 159, 0), (230, 159, 0)
        gap = np.full((side, 12, 3), 255, "uint8")
        return to_png(np.concatenate([plan, gap, np.repeat(enlarge(image, SCALE), 3, axis=2)], axis=1))

    def slider(name, i):
        ends = {"min": float(low[i]), "max": float(high[i]), "value": float(middle[i])}
        step = float(high[i] - low[i]) / 100
        return widgets.FloatSlider(**ends, step=step, description=name, layout=widgets.Layout(width="380px"))

    return PictureView(render, first=slider("First", 0), second=slider("Second", 1))


def classify(shown):
    """Choose a class and an image of it: the probability that a classifier gives to each class.

    shown: {title: (Stacked, ImageDataset)}; the images are the first hundred test images of the class.
    """
    options = [
        (f"{title}: {name}", (title, label))
        for title, (_, data) in shown.items()
        for label, name in enumerate(data.class_names)
    ]

    def render(choice, number):
        title, label = choice
        classifier, data = shown[title]
        own = np.flatnonzero(data.y_test == label)
        image = data.x_test[own[(number - 1) % len(own)]]
        return figure_png(verdict(image, classifier.probabilities(image[None])[0], data.class_names, label))

    choice = widgets.Dropdown(options=options, description="Class", layout=widgets.Layout(width="320px"))
    number = widgets.IntSlider(value=1, min=1, max=100, description="Image", layout=widgets.Layout(width="380px"))
    return PictureView(render, choice=choice, number=number)
