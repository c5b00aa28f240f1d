"""Small made-up data sets, for tests and for reading offline: real 8x8 digits for MNIST, drawn shapes for the others.

Every machine draws the same bytes: the shapes use exact arithmetic and comparisons only, and legacy `RandomState`
streams never change.
"""

import colorsys

import numpy as np

# A shape is where a function of the two coordinates, each about -1 to 1 over the picture, is true.
SHAPES = (
    lambda u, v: u * u + v * v < 0.5,  # disc
    lambda u, v: np.maximum(abs(u), abs(v)) < 0.6,  # square
    lambda u, v: abs(u) + abs(v) < 0.8,  # diamond
    lambda u, v: abs(u * u + v * v - 0.4) < 0.2,  # ring
    lambda u, v: (np.minimum(abs(u), abs(v)) < 0.2) & (np.maximum(abs(u), abs(v)) < 0.8),  # cross
    lambda u, v: (v < 0.6) & (2 * abs(u) < v + 0.8),  # triangle
    lambda u, v: abs(abs(v) - 0.4) < 0.2,  # two horizontal bars
    lambda u, v: abs(abs(u) - 0.4) < 0.2,  # two vertical bars
    lambda u, v: (u * v > 0) & (np.maximum(abs(u), abs(v)) < 0.7),  # chequers
    lambda u, v: abs(np.maximum(abs(u), abs(v)) - 0.6) < 0.15,  # frame
)


def draw(name, shape, classes):
    """The stand-in of a data set: `x_train, y_train, x_test, y_test`, uint8 [N, *shape] and int32 [N].

    Training and test images of every class: 60 and 10, or 12 and 4 where there are more than ten classes. MNIST
    comes as it is in scikit-learn, 1,617 and 180 images in all.
    """
    if name == "mnist":
        return _digits(shape)
    train, test = (60, 10) if classes <= 10 else (12, 4)
    random = np.random.RandomState(0)
    return *_shapes(random, train, shape, classes), *_shapes(random, test, shape, classes)


def _digits(shape):
    from PIL import Image
    from sklearn.datasets import load_digits

    height, width, _ = shape
    digits = load_digits()
    small = (digits.images * 255 / 16).astype(np.uint8)  # grey levels 0 to 16
    large = [Image.fromarray(digit).resize((width, height), Image.Resampling.BILINEAR) for digit in small]
    x, y = np.stack([np.asarray(digit) for digit in large])[..., None], digits.target.astype(np.int32)
    # Shuffled, since the digits come in turn: every tenth one would be a nine.
    test, train = np.split(np.random.RandomState(0).permutation(len(x)), [180])
    return x[train], y[train], x[test], y[test]


def _shapes(random, per_class, shape, classes):
    """`per_class` pictures of every class, the classes in turn, so that any first few hold them all."""
    y = np.tile(np.arange(classes, dtype=np.int32), per_class)
    return np.stack([_picture(random, label, shape, classes) for label in y]), y


def _picture(random, label, shape, classes):
    """Class `label` is one shape in one colour; place, size, brightness and noise differ from picture to picture."""
    height, width, channels = shape
    v, u = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    shift_u, shift_v = random.uniform(-0.15, 0.15, 2)
    size, light = random.uniform(0.8, 1.1), random.uniform(0.7, 1.0)
    inside = SHAPES[label % len(SHAPES)]((u - shift_u) / size, (v - shift_v) / size)
    colour = colorsys.hsv_to_rgb(label / classes, 0.75, light) if channels == 3 else (light,) * channels
    picture = random.randint(0, 30, shape, np.uint8) + inside[..., None] * (np.array(colour) * 225)
    return picture.astype(np.uint8)
