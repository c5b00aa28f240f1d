"""Every GAN of the series as a row of numbers, and nothing else: no Keras here."""

from dataclasses import dataclass, replace

from ..errors import CganError, unknown

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


@dataclass(frozen=True)
class Unconditional:
    """A generator and a discriminator that know no classes. Convolutions as above; the generator's are transposed."""

    start: int  # side of the generator's first small image
    base: int  # and its channels
    up: tuple
    output: tuple  # (kernel, stride) of the layer that draws the pixels
    down: tuple
    start_norm: bool = False  # batch normalisation and LeakyReLU on the first image
    up_bias: bool = True  # of the layers that normalisation follows, which makes a bias needless
    down_norm: bool = False  # in the discriminator, after all convolutions but the first and the last
    last_activation: bool = True  # LeakyReLU after the discriminator's last convolution
    dropout: float = 0.0  # after each of the discriminator's activations
    slope: float = 0.3  # of LeakyReLU below zero


@dataclass(frozen=True)
class Plane:
    """An encoder of grey 28×28 images to two numbers, and a decoder from them.

    (filters, kernel): a 'same' convolution with relu. 'norm': batch normalisation. An integer changes the side of the
    image: -2 halves it by max-pooling, 7 makes it seven times as large by repeating pixels.
    """

    code: str  # activation of the two numbers: 'linear' or 'relu'
    encoder: tuple = ((32, 3), (32, 3), -2, "norm", (32, 3), (32, 3), (32, 2), -2, "norm", (16, 2), (4, 2), (1, 2))
    decoder: tuple = ((4, 2), (16, 2), "norm", 7, (32, 3), (32, 3), (32, 3), "norm", 2, (32, 3), (32, 3))
    start: int = 2  # side of the decoder's first small image, which has one channel


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
# MNIST is 28 pixels wide: two halvings leave 7, so the last two convolutions keep their size.
_MODELO_3_28PX = replace(_MODELO_3, down=((32, 5, 2), (64, 5, 2), (128, 5, 1), (256, 5, 1)))
_MODELO_5 = Architecture(
    base=1024,
    up=((1024, 5, 2), (512, 5, 2), (256, 5, 1)),
    output="deconv",
    output_kernel=5,
    down=(*_DOWN_4, (512, 5, 2)),
    output_dropout=0.4,
)

_LIGERA = Unconditional(
    start=7,
    base=256,
    up=((128, 5, 1), (64, 5, 2)),
    output=(5, 2),
    down=((64, 5, 2), (128, 5, 2)),
    start_norm=True,
    up_bias=False,
    dropout=0.3,
)

ARCHITECTURES = {
    "modelo_1": _MODELO_1,
    "modelo_3": _MODELO_3,
    "modelo_3_28px": _MODELO_3_28PX,
    # As it was meant to be published: the dropout had been written past the model, and never took part.
    "modelo_3_28px_input_dropout": replace(_MODELO_3_28PX, input_dropout=0.75),
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
    "gan_ligera": _LIGERA,
    # Two 3×3 kernels see as far as one 5×5: the same view in twice the layers.
    "gan_ligera_3x3": replace(
        _LIGERA,
        up=((128, 3, 1), (128, 3, 1), (64, 3, 2), (64, 3, 1), (32, 3, 2)),
        output=(3, 1),
        down=((64, 3, 1), (64, 3, 2), (128, 3, 1), (128, 3, 2)),
    ),
    "dcgan": Unconditional(
        start=4,
        base=100,
        up=((512, 4, 2), (256, 4, 2), (128, 4, 2)),
        output=(4, 2),
        down=((64, 4, 2), (128, 4, 2), (256, 4, 2), (1, 4, 2)),
        down_norm=True,
        last_activation=False,
    ),
    "autoencoder_2d": Plane(code="linear"),
    "autoencoder_2d_relu": Plane(code="relu"),
}


def architecture(name):
    """The row called `name`; raises CganError with the nearest names if there is none."""
    if name not in ARCHITECTURES:
        raise CganError(unknown("architecture", name, ARCHITECTURES))
    return ARCHITECTURES[name]


def conditional(name):
    """Whether the networks of architecture `name` are told the class of an image."""
    return isinstance(architecture(name), Architecture)


def count_parameters(name, classes, shape, outputs=1):
    """(generator, discriminator) parameters of architecture `name`, from the table alone: no network is built.

    outputs: numbers that the discriminator ends in; one verdict, or the 2·LATENT of a variational encoder.

    A kernel of k×k pixels has k·k·(input channels)·(filters) weights and a bias per filter; batch normalisation
    keeps four numbers per channel (scale, shift, mean, variance).
    """
    row = architecture(name)
    if isinstance(row, Unconditional):
        return _count_unconditional(row, shape)
    if isinstance(row, Plane):
        return _count_plane(row)
    side, _, channels = shape
    quarter = side // 4
    last = len(row.down)

    def label_map(width):
        return classes * EMBEDDING + _dense(EMBEDDING, width * width)

    generator = label_map(quarter) + _dense(LATENT, row.base * quarter**2)
    generator += _convolutions(row.up, row.base + 1, lambda i: row.generator_momentum is not None)
    generator += _dense(row.output_kernel**2 * row.up[-1][0], channels)
    discriminator = label_map(side)
    discriminator += _convolutions(row.down, channels + 1, lambda i: row.discriminator_momentum and 1 < i < last)
    return generator, discriminator + _end(row, side, outputs)


def count_operations(name, shape):
    """(generator, discriminator) multiply-adds for one image of `shape` in a conditional architecture, one way.

    A convolution of k×k pixels costs k·k·(input channels)·(filters) at each pixel of its output, a transposed one
    the same at each pixel of its input. Borders are counted like the inside; normalisation and activations are not.
    """
    row = architecture(name)
    if not isinstance(row, Architecture):
        raise CganError(f"Operations are counted for networks that know classes; {name} knows none.")
    side, _, channels = shape
    place, inputs = side // 4, row.base + 1
    generator = (EMBEDDING + LATENT * row.base) * place**2
    for filters, kernel, stride in (*row.up, (channels, row.output_kernel, 1)):
        generator += (place * kernel) ** 2 * inputs * filters
        place, inputs = place * stride, filters
    discriminator, inputs = EMBEDDING * side**2, channels + 1
    for filters, kernel, stride in row.down:
        side = -(-side // stride)
        discriminator += (side * kernel) ** 2 * inputs * filters
        inputs = filters
    return generator, discriminator + inputs * side**2


def _count_unconditional(row, shape):
    side, _, channels = shape
    pixels, last = row.base * row.start**2, len(row.down)
    generator = _dense(LATENT, pixels, row.up_bias) + (4 * pixels if row.start_norm else 0)
    generator += _convolutions(row.up, row.base, lambda i: True, row.up_bias)
    generator += _dense(row.output[0] ** 2 * row.up[-1][0], channels)
    discriminator = _convolutions(row.down, channels, lambda i: row.down_norm and 1 < i < last)
    return generator, discriminator + _end(row, side, 1)


def _count_plane(row):
    decoder, channels = _count_stack(row.decoder)
    encoder, _ = _count_stack(row.encoder)
    return _dense(2, row.start**2) + decoder + _dense(9 * channels, 1), encoder + _dense(7 * 7, 2)


def _count_stack(table):
    total, channels = 0, 1
    for entry in table:
        if entry == "norm":
            total += 4 * channels
        elif isinstance(entry, tuple):
            filters, kernel = entry
            total += _dense(kernel * kernel * channels, filters)
            channels = filters
    return total, channels


def _dense(inputs, outputs, bias=True):
    return (inputs + bias) * outputs


def _convolutions(rows, inputs, normalised, bias=True):
    total = 0
    for i, (filters, kernel, _) in enumerate(rows, start=1):
        total += _dense(kernel * kernel * inputs, filters, bias) + (4 * filters if normalised(i) else 0)
        inputs = filters
    return total


def _end(row, side, outputs):
    for _, _, stride in row.down:
        side = -(-side // stride)  # 'same' padding rounds up
    return _dense(row.down[-1][0] * side**2, outputs)
