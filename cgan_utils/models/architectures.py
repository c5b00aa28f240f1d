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
    class_noise: bool = False  # before the generator, a Gaussian of each class; see `class_noise`


@dataclass(frozen=True)
class Unconditional:
    """A generator and a discriminator that know no classes. A convolution is (filters, kernel, stride), as above."""

    start: int  # side of the generator's first small image
    base: int  # and its channels
    up: tuple  # the generator's transposed convolutions
    output: tuple  # (kernel, stride) of the layer that draws the pixels
    down: tuple  # the discriminator's convolutions
    start_norm: bool = False  # batch normalisation and LeakyReLU on the first image
    up_bias: bool = True  # of the layers that normalisation follows, which makes a bias needless
    down_norm: bool = False  # in the discriminator, after all convolutions but the first and the last
    last_activation: bool = True  # LeakyReLU after the discriminator's last convolution
    dropout: float = 0.0  # after each of the discriminator's activations
    slope: float = 0.3  # of LeakyReLU below zero


INGREDIENTS = (  # of `Projected`, each from a paper that `projected` names
    "teacher",  # its blocks start from random numbers and are trained along with the heads
    "spectral norm",
    "projection",
    "conditional normalisation",
    "augmentation",
    "spread",
)


@dataclass(frozen=True)
class Projected:
    """A generator of residual blocks, and a discriminator that looks through a classifier; see `projected`."""

    base: int = 512  # channels of the generator's first small image
    up: tuple = (384, 192, 96)  # filters of its residual blocks, each of which doubles the side
    teacher: tuple = ((64,), (96, 96), (192, 192), (256, 256))  # the classifier's `Recipe.blocks`
    looks: int = 4  # at so many of its blocks, the first ones
    head: int = 128  # planes of each of the discriminator's heads, at most
    mirror: bool = True  # whether the mirror image of an image shows the same class
    without: tuple = ()  # which of INGREDIENTS are left out, to see what each of them buys


@dataclass(frozen=True)
class Plane:
    """An encoder of grey 28×28 images to two numbers, and a decoder from them; see `autoencoders`."""

    code: str  # activation of the two numbers: 'linear' or 'relu'


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

# Two doublings lead from 7 to 28 pixels.
_MODELO_6_28PX = Projected(base=256, up=(128, 64), teacher=((32,), (48, 48), (96, 96)))

ARCHITECTURES = {
    "modelo_1": _MODELO_1,
    "modelo_1_class_noise": replace(_MODELO_1, class_noise=True),
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
    "modelo_6": Projected(),
    "modelo_6_unmirrored": Projected(mirror=False),
    "modelo_6_28px": _MODELO_6_28PX,
    "modelo_6_digits": replace(_MODELO_6_28PX, mirror=False),
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
    return isinstance(architecture(name), (Architecture, Projected))
