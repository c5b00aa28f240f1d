"""A network as a picture: its layers from left to right, with shapes and numbers of parameters."""

from matplotlib.patches import FancyBboxPatch

from ..plain_figures import subplots


def diagram(model, title=""):
    """A network's layers from left to right, one box per layer with weights or a merge, both inputs as own rows.

    Under each box: the shape of what leaves it and its number of parameters. Activations, normalisation and
    reshapes stand inside the box of the layer they follow.
    """
    boxes, rows = _boxes(model)
    columns = 1 + max(column for column, _ in boxes)
    figure, axes = subplots(figsize=(1.5 * columns + 0.3, 1.45 * rows + 0.6), layout="constrained")
    for (column, row), (name, shape, parameters, colour, arrow_from) in boxes.items():
        axes.add_patch(
            FancyBboxPatch((column, -row), 0.8, 0.62, boxstyle="round,pad=0.03", facecolor=colour, edgecolor="#444444")
        )
        axes.text(column + 0.4, -row + 0.31, name, ha="center", va="center", fontsize=8)
        caption = shape + (f"\n{parameters:,} parameters" if parameters else "")
        axes.text(column + 0.4, -row - 0.08, caption, ha="center", va="top", fontsize=7, color="#333333")
        for source_column, source_row in arrow_from:
            start, end = (source_column + 0.84, -source_row + 0.31), (column - 0.04, -row + 0.31)
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "#666666"})
    axes.set(xlim=(-0.1, columns), ylim=(-rows + 0.6, 0.8), title=title)
    axes.axis("off")
    return figure


_COLOURS = {
    "InputLayer": "#f0f0f0",
    "Embedding": "#cfe8d5",
    "Dense": "#cfe8d5",
    "Concatenate": "#fff2cc",
    "Conv2D": "#d4e3f5",
    "Conv2DTranspose": "#f7d9c4",
}


def _boxes(model):
    """{(column, row): (text, shape, parameters, colour, sources)} and the number of rows.

    Layers that have a colour get a box; the others add a line to the box they follow.
    """
    boxes, place = {}, {}
    for layer in model.layers:
        sources = [place[source.name] for source in _sources(layer)]
        kind = type(layer).__name__
        shape = "×".join(str(size) for size in layer.output.shape[1:]) or "1"
        if kind not in _COLOURS:
            place[layer.name] = spot = sources[0]
            text, _, parameters, colour, arrows = boxes[spot]
            boxes[spot] = (f"{text}\n{_line(layer)}", shape, parameters + layer.count_params(), colour, arrows)
            continue
        if sources:
            spot = (1 + max(column for column, _ in sources), min(row for _, row in sources))
        else:
            spot = (0, int(layer.name == "label"))  # the condition comes from below
        boxes[spot] = (_line(layer), shape, layer.count_params(), _COLOURS[kind], sources)
        place[layer.name] = spot
    return boxes, len(model.inputs)


def _line(layer):
    """A layer in a few characters."""
    kind = type(layer).__name__
    short = {"BatchNormalization": "batch norm", "InputLayer": layer.name, "Concatenate": "join"}.get(kind, kind)
    if hasattr(layer, "kernel_size"):
        return f"{kind}\n{layer.kernel_size[0]}×{layer.kernel_size[1]}, stride {layer.strides[0]}"
    return (
        f"dropout {layer.rate:g}" if kind == "Dropout" else layer.activation.__name__ if kind == "Activation" else short
    )


def _sources(layer):
    return [node.operation for node in layer._inbound_nodes[0].parent_nodes]
