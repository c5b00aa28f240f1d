"""The catalogue: every published training of the series by name, as its difference from the defaults."""

from dataclasses import MISSING, asdict, dataclass, fields, replace

from ..errors import CganError, unknown
from .architectures import Architecture, Plane, Projected, Unconditional, architecture

OPTIMIZERS = ("rmsprop", "adam")
UPDATES = ("simultaneous", "alternating")  # forms of a GAN's training step; see ConditionalGAN
LOSSES = ("minimax", "hinge", "relativistic")  # that a GAN's players minimise; see `losses`
# Settings that no other game has.
OF_GANS = ("loss", "label_smoothing", "label_noise", "update", "d_learning_rate", "averaging", "draw_averaged")
SCHEDULES = ("constant", "cosine")  # of the learning rates; 'cosine' falls to 0 at the end of the training
GAMES = {  # and the kinds of architecture that can play them
    "gan": (Architecture, Unconditional, Projected),
    "vae": (Architecture,),
    "autoencoder": (Plane,),
}


def check_loss(name, smoothing=0.0, label_noise=0.0):
    """Raises CganError for an unknown loss, or a smoothing or noise of labels that makes no sense with it."""
    if name not in LOSSES:
        raise CganError(unknown("loss", name, LOSSES))
    for what, value in (("Label smoothing", smoothing), ("Label noise", label_noise)):
        if not 0 <= value < 0.5 or (value and name != "minimax"):
            raise CganError(f"{what} {value} does not fit loss {name!r}; use 0, or less than 0.5 with minimax.")
    if smoothing and label_noise:
        raise CganError("Label smoothing and label noise do the same work; set one of them to 0.")


@dataclass(frozen=True)
class Experiment:
    """All that decides a training. Nonsense is refused when it is made, in one sentence (CganError)."""

    name: str
    dataset: str
    architecture: str
    epochs: int
    batch_size: int = 16
    optimizer: str = "rmsprop"
    learning_rate: float = 2e-4
    d_learning_rate: float | None = None  # of the discriminator, where it has another
    beta_1: float = 0.5  # Adam's first momentum; RMSprop has none
    beta_2: float = 0.999  # and its second
    schedule: str = "constant"  # one of SCHEDULES
    game: str = "gan"  # one of GAMES
    pixel_variance: float = 1.0  # of a variational autoencoder; see ConditionalVAE
    loss: str = "minimax"  # one of LOSSES
    label_smoothing: float = 0.0
    label_noise: float = 0.0
    update: str = "simultaneous"  # one of UPDATES
    averaging: float = 0.999  # of the averaged generator; see ConditionalGAN
    draw_averaged: bool = False  # whether the run draws with it
    mirror: bool = False  # whether half of the images that it learns from are mirrored, at random
    group: int = 1  # images of one class that stand together in a batch; see `projected.ClassSpread`
    seed: int = 0
    published_seconds: int | None = None  # per epoch, as published, on a T4-class GPU

    def __post_init__(self):
        for field in fields(self):
            if hasattr(getattr(self, field.name), "item"):  # a number of NumPy's, which JSON does not know
                object.__setattr__(self, field.name, getattr(self, field.name).item())
        row = architecture(self.architecture)
        choices = {"optimizer": OPTIMIZERS, "game": GAMES, "schedule": SCHEDULES, "update": UPDATES}
        for field, known in choices.items():
            if getattr(self, field) not in known:
                raise CganError(unknown(field, getattr(self, field), known))
        if not isinstance(row, GAMES[self.game]):
            raise CganError(f"Architecture {self.architecture} has not the networks that game {self.game!r} needs.")
        least = {"epochs": 1, "batch_size": 1, "group": 1, "seed": 0, "learning_rate": 1e-12, "pixel_variance": 1e-6}
        for field, low in least.items():
            if not getattr(self, field) >= low:  # so that it refuses what is no number at all, too
                raise CganError(f"{field} is {getattr(self, field)}; it must be at least {low}.")
        for field in ("epochs", "batch_size", "group", "seed"):
            if not hasattr(getattr(self, field), "__index__"):  # whole numbers have it
                raise CganError(f"{field} is {getattr(self, field)}; it must be a whole number.")
        if self.d_learning_rate is not None and not self.d_learning_rate > 0:
            raise CganError(f"d_learning_rate is {self.d_learning_rate}; it must be above 0, or be left out.")
        for field in ("averaging", "beta_1", "beta_2"):
            if not 0 <= getattr(self, field) < 1:
                raise CganError(f"{field} is {getattr(self, field)}; it must be at least 0 and below 1.")
        check_loss(self.loss, self.label_smoothing, self.label_noise)
        for field in fields(self):
            if self.game != "gan" and field.name in OF_GANS and getattr(self, field.name) != field.default:
                raise CganError(f"{field.name} is of GANs; leave it out for game {self.game!r}.")
        if self.batch_size % self.group:
            raise CganError(
                f"A batch of {self.batch_size} can't be divided into groups of {self.group}; choose others."
            )
        if self.seed >= 2**32 - 1:
            raise CganError(f"seed is {self.seed}; it must be less than {2**32 - 1:,}.")

    def settings(self):
        """What a resumed training must share with its beginning: all but the name, the length and the record.

        Where the learning rates fall until the end, the length counts, too. Defaults are left out, so that a
        checkpoint outlives the birth of a new field.
        """
        free = ["name", "published_seconds", *(["epochs"] if self.schedule == "constant" else [])]
        default = {field.name: field.default for field in fields(self)}
        return {k: v for k, v in asdict(self).items() if k not in free and v != default[k]}

    @classmethod
    def from_dict(cls, values):
        """The inverse of `dataclasses.asdict`; raises CganError if a field is missing or not known.

        A field with a default may be missing: the record is then older than the field, and trained without it.
        """
        missing = {field.name for field in fields(cls) if field.default is MISSING} - set(values)
        surplus = set(values) - {field.name for field in fields(cls)}
        if missing or surplus:
            raise CganError(f"The experiment's fields don't fit this version: {', '.join(missing | surplus)}.")
        if values.get("game", "gan") != "gan":  # older versions took these settings, and ignored them
            values = {name: value for name, value in values.items() if name not in OF_GANS}
        return cls(**values)


# Published without label smoothing, on grey images repeated into three channels. On one channel that step loses the
# generator within 200 iterations: the discriminator wins, every pixel goes to -1, and tanh passes no gradient back.
_MODELO_1_MNIST = Experiment("modelo_1_mnist", "mnist", "modelo_1", epochs=50, label_smoothing=0.1, seed=1)

_LIGERA = Experiment(
    "gan_ligera", "mnist", "gan_ligera", epochs=50, batch_size=256, optimizer="adam", learning_rate=1e-4, beta_1=0.9
)
_MODELO_6 = Experiment(
    "modelo_6",
    "cifar10",
    "modelo_6",
    epochs=30,
    batch_size=128,
    group=8,
    optimizer="adam",
    learning_rate=3e-4,
    d_learning_rate=5e-4,
    beta_1=0.0,
    beta_2=0.99,
    schedule="cosine",
    loss="relativistic",
    update="alternating",
    draw_averaged=True,
)
_MODELO_6_GREY = replace(_MODELO_6, epochs=5, batch_size=64)
# One decoder, two games, the same images seen.
_FASHION = Experiment("fashion", "fashion_mnist", "modelo_1", epochs=20, batch_size=64, optimizer="adam")
_CVAE = replace(_FASHION, game="vae", learning_rate=1e-3, beta_1=0.9)
_PLANE = Experiment(
    "plane",
    "fashion_mnist",
    "autoencoder_2d",
    epochs=5,
    batch_size=128,
    optimizer="adam",
    learning_rate=1e-3,
    beta_1=0.9,
    game="autoencoder",
    seed=1,  # one of the seeds with which the code collapses if it has a relu
)

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        replace(_MODELO_1_MNIST, name="modelo_1_mnist_v1", epochs=50, published_seconds=58),
        replace(_MODELO_1_MNIST, name="modelo_1_mnist_v2", epochs=20, published_seconds=89),
        Experiment("modelo_3_mnist_v1", "mnist", "modelo_3_28px", epochs=50, published_seconds=64),
        Experiment("modelo_3_cifar100_v1", "cifar100", "modelo_3", epochs=50, published_seconds=56),
        Experiment("modelo_4_cifar100_v1", "cifar100", "modelo_4", epochs=50, published_seconds=57),
        Experiment("modelo_5_cifar100_v1", "cifar100", "modelo_5", epochs=50, published_seconds=115),
        Experiment("modelo_5_cifar10_v1", "cifar10", "modelo_5_light", epochs=10, published_seconds=331),
        Experiment("modelo_5_cifar10_v2", "cifar10", "modelo_5_lighter", epochs=10, published_seconds=137),
        Experiment(
            "modelo_5_cifar10_v3",
            "cifar10",
            "modelo_5_light",
            epochs=16,
            batch_size=50,
            optimizer="adam",
            published_seconds=273,
        ),
        Experiment("modelo_5_cifar10_v4", "cifar10", "modelo_5_light", epochs=20, batch_size=50, published_seconds=265),
        replace(_LIGERA, name="gan_ligera_mnist"),
        replace(_LIGERA, name="gan_ligera_3x3_mnist", architecture="gan_ligera_3x3", epochs=25),
        replace(_FASHION, name="modelo_1_fashion_mnist", label_smoothing=0.1, seed=1),
        replace(_CVAE, name="cvae_fashion_mnist"),
        replace(_CVAE, name="cvae_fashion_mnist_v2", architecture="modelo_1_class_noise", pixel_variance=0.03),
        replace(_PLANE, name="autoencoder_2d_fashion_mnist"),
        replace(_PLANE, name="autoencoder_2d_relu_fashion_mnist", architecture="autoencoder_2d_relu"),
        replace(_MODELO_6, name="modelo_6_cifar10_v1"),
        replace(_MODELO_6, name="modelo_6_cifar100_v1", dataset="cifar100", epochs=15),
        replace(_MODELO_6_GREY, name="modelo_6_fashion_mnist", dataset="fashion_mnist", architecture="modelo_6_28px"),
        replace(_MODELO_6_GREY, name="modelo_6_mnist", dataset="mnist", architecture="modelo_6_digits"),
        Experiment(
            "dcgan_celeba",
            "celeba",
            "dcgan",
            epochs=140,  # 1.5 million images, where there are 10,800 to train on; of all of CelebA 8 are as many
            batch_size=128,
            optimizer="adam",
            label_noise=0.25,
            mirror=True,
            draw_averaged=True,
        ),
    )
}


IMAGES = 300_000  # that a training on pictures of one's own sees: an hour or two on two cores
MOST_EPOCHS = 3_000  # each ends with scores and pictures; fewer than a hundred images are long known by heart then


def suitable(classes, channels, count):
    """The `Experiment` for pictures of one's own: so many classes, channels and training images.

    One class: dcgan, which draws 64×64 pixels. Else modelo_6, of 32×32 in colour and of 28×28 in grey; few pictures
    are learned in small batches, and seen often.
    """
    batch, epochs = _batch(count), min(MOST_EPOCHS, -(-IMAGES // count))
    if classes < 2:
        return experiment("dcgan_celeba", batch_size=batch, epochs=epochs)
    name = "modelo_6_cifar10_v1" if channels == 3 else "modelo_6_mnist"
    return experiment(name, batch_size=batch, group=max(1, min(8, batch // 2)), epochs=epochs)


def unmirrored(settings):
    """The same `Experiment` without mirrored images: a letter or a number plate in the mirror is another picture."""
    instead = {"modelo_6": "modelo_6_unmirrored", "modelo_6_28px": "modelo_6_digits"}
    row = instead.get(settings.architecture, settings.architecture)
    return replace(settings, architecture=row, mirror=False)


def _batch(count):
    """A power of 2, 4 to 64, that at least forty batches fill if there are so many images; no more than the images."""
    filled = 2 ** ((count // 40).bit_length() - 1) if count >= 40 else 4
    return min(max(4, min(64, filled)), 2 ** (count.bit_length() - 1))


def experiment(name, **changes):
    """The experiment called `name`, with some fields changed if wanted, as in experiment("…", epochs=5).

    Raises CganError for an unknown name, with the nearest ones, and for values that make no sense.
    """
    if name not in EXPERIMENTS:
        raise CganError(unknown("experiment", name, EXPERIMENTS))
    return replace(EXPERIMENTS[name], **changes)


ROWS = 20  # classes that an evolution picture shows, at most
ALL_CLASSES = "all_classes"  # name of the picture that shows the others, too
# Of CIFAR-100: those with a colour or a shape of their own, and some without.
SHOWN = (
    *("apple", "orange", "pear", "sweet_pepper", "sunflower", "poppy", "rose", "mountain", "sea", "plain"),
    *("cloud", "road", "maple_tree", "clock", "plate", "bottle", "wardrobe", "rocket", "bus", "leopard"),
)


def shown_classes(class_names):
    """Indices of the classes in an evolution picture: all, or of more than 20 those in SHOWN or the first ones."""
    if len(class_names) <= ROWS:
        return list(range(len(class_names)))
    chosen = [class_names.index(name) for name in SHOWN if name in class_names]
    return chosen if len(chosen) == ROWS else list(range(ROWS))
