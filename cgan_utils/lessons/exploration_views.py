"""Interactive views of the notebooks that look at data and at theory: controls, and the picture they choose."""

import functools

import ipywidgets as widgets
import numpy as np

from ..data.known import CIFAR100_SUPERCLASSES
from ..images import enlarge, grid, to_png
from ..plain_figures import subplots
from ..views.figures import picture_on
from ..views.widgets import PictureView, figure_png
from .exploration import class_moments, explained, reconstruct
from .exploration_figures import first_images


def reconstruction_slider(pca, images, start=50):
    """A slider over the number of components: images [N, H, W, C] (above) and what k components keep (below)."""
    last = len(pca.components_)
    counts = sorted({0, 1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1600, last})
    counts = [k for k in counts if k <= last]
    options = [(f"{k:,} ({explained(pca, k) if k else 0:.1%})", k) for k in counts]
    scale = max(2, 640 // (len(images) * (images.shape[2] + 1)))

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
        levels = np.rint(spread * 255 / max(spread.max(), 1)).astype("uint8")
        figure, axes = subplots(1, 3, figsize=(8.4, 2.7), layout="constrained", width_ratios=(3, 3, 5))
        picture_on(axes[0], np.rint(means[label]).astype("uint8"), "mean image\n")
        picture_on(axes[1], levels, f"standard deviation\n(white: {spread.max():.0f})")
        total = (data.y_train == label).sum()
        start = (page - 1) * shown % max(total, 1)
        picture_on(
            axes[2],
            grid(first_images(data, label, shown, start), 5, background=255),
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
