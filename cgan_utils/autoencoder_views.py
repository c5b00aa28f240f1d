"""Interactive views of the notebooks on autoencoders: a point to decode, and an image to classify."""

import ipywidgets as widgets
import numpy as np

from .autoencoder_plots import decoded_grid, verdict
from .exploration_views import PictureView, figure_png
from .images import enlarge, to_png
from .layers import to_uint8
from .sampling import decode

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
