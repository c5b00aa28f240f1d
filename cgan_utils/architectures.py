"""Every conditional GAN of the series as a row of numbers, and nothing else: no Keras here."""

from dataclasses import dataclass, replace

from .errors import CganError, unknown

LATENT = 100  # length of the noise vector z
EMBEDDING = 50  # length of the vector that stands for a class


@dataclass(frozen=True)
class Architecture:
    """One generator and discriminator. A convolution is (filters, kernel, stride), always with 'same' padding."""

    base: int  # channels of the generator's first small image, whose side is a quarter of the image's
    up: tuple  # the generator's transposed convolutions
    output: str  # 'conv' or 'deconv': the layer that draws the pixels
    output_kernel: int
    down: tuple  # the discriminator's convolutions
    base_activation: bool = False  # LeakyReLU on the generator's first image
    generator_momentum: float | None = 0.99  # of batch normalisation; None: no normalisation
    discriminator_momentum: float | None = 0.99  # the same, after all convolutions but the first and the last
    last_activation: bool = False  # LeakyReLU after the discriminator's last convolution
    input_dropout: float = 0.0  # on the image the discriminator sees
    output_dropout: float = 0.0  # before the discriminator's verdict


_DOWN_4 = ((32, 5, 2), (64, 5, 2), (128, 5, 2), (256, 5, 2))

_MODELO_1 = Architecture(
    base=128,
    up=((128, 4, 2), (128, 4, 2)),
    output="conv",
    output_kernel=8,
    down=((128, 3, 2), (128, 3, 2)),
    base_activation=True,
    generator_momentum=None,
    discriminator_momentum=None,
    last_activation=True,
    output_dropout=0.4,
)
_MODELO_3 = Architecture(base=256, up=((256, 5, 2), (128, 5, 2)), output="deconv", output_kernel=5, down=_DOWN_4)
_MODELO_5 = Architecture(
    base=1024,
    up=((1024, 5, 2), (512, 5, 2), (256, 5, 1)),
    output="deconv",
    output_kernel=5,
    down=(*_DOWN_4, (512, 5, 2)),
    output_dropout=0.4,
)

ARCHITECTURES = {
    "modelo_1": _MODELO_1,
    "modelo_3": _MODELO_3,
    # MNIST is 28 pixels wide: two halvings leave 7, so the last two convolutions keep their size.
    "modelo_3_28px": replace(_MODELO_3, down=((32, 5, 2), (64, 5, 2), (128, 5, 1), (256, 5, 1))),
    "modelo_4": replace(_MODELO_3, up=((256, 5, 2), (128, 5, 2), (64, 5, 1)), output="conv", output_kernel=8),
    "modelo_5": _MODELO_5,
    "modelo_5_light": replace(
        _MODELO_5,
        base=512,
        up=((512, 5, 2), (256, 5, 2), (128, 5, 1)),
        generator_momentum=0.8,
        discriminator_momentum=0.8,
    ),
    "modelo_5_lighter": replace(
        _MODELO_5,
        base=256,
        up=((256, 5, 2), (128, 5, 2), (64, 5, 1)),
        down=_DOWN_4,
        generator_momentum=0.8,
        discriminator_momentum=0.8,
        output_dropout=0.0,
    ),
}


def architecture(name):
    """The row called `name`; raises CganError with the nearest names if there is none."""
    if name not in ARCHITECTURES:
        raise CganError(unknown("architecture", name, ARCHITECTURES))
    return ARCHITECTURES[name]


def count_parameters(name, classes, shape):
    """(generator, discriminator) parameters of architecture `name`, from the table alone: no network is built.

    A kernel of k×k pixels has k·k·(input channels)·(filters) weights and a bias per filter; batch normalisation
    keeps four numbers per channel (scale, shift, mean, variance).
    """
    row, (side, _, channels) = architecture(name), shape
    quarter = side // 4

    def dense(inputs, outputs):
        return (inputs + 1) * outputs

    def convolutions(rows, inputs, normalised):
        total = 0
        for i, (filters, kernel, _) in enumerate(rows, start=1):
            total += dense(kernel * kernel * inputs, filters) + (4 * filters if normalised(i) else 0)
            inputs = filters
        return total

    def label_map(width):
        return classes * EMBEDDING + dense(EMBEDDING, width * width)

    generator = label_map(quarter) + dense(LATENT, row.base * quarter**2)
    generator += convolutions(row.up, row.base + 1, lambda i: row.generator_momentum is not None)
    generator += dense(row.output_kernel**2 * row.up[-1][0], channels)

    last = len(row.down)
    discriminator = label_map(side)
    discriminator += convolutions(row.down, channels + 1, lambda i: row.discriminator_momentum and 1 < i < last)
    final = side
    for _, _, stride in row.down:
        final = -(-final // stride)  # 'same' padding rounds up
    return generator, discriminator + dense(row.down[-1][0] * final**2, 1)
