"""A classifier that learned to look before it was told what it sees: stacked autoencoders, then fine-tuning.

Block after block learns, without labels, to describe what the blocks before it pass on, of which a part is hidden from
it (Vincent et al. 2010, 'Stacked denoising autoencoders'); then a softmax head joins them, and all learn the labels.
"""

from dataclasses import dataclass

from ..backend import channels_last, copied, keras, no_gradients
from ..errors import CganError
from .game import Descent
from .layers import to_signed

Input, layers, ops = keras.Input, keras.layers, keras.ops


@dataclass(frozen=True)
class Recipe:
    """All that decides a training. Nonsense is refused when it is made, in one sentence (CganError)."""

    blocks: tuple = ((32,), (64, 64), (128, 128))  # filters of the 3×3 convolutions of each block
    hidden: float = 0.5  # share of the places that a block does not see while it learns to describe all of them
    layer_epochs: int = 1  # of each autoencoder; 0: no layer-wise training, the network starts from scratch
    epochs: int = 12  # of fine-tuning, at most
    patience: int = 4  # epochs without a lower validation loss, after which fine-tuning stops
    batch_size: int = 128
    learning_rate: float = 3e-3  # of AdamW at its highest, after half an epoch; it falls to 0 along half a cosine
    weight_decay: float = 0.01
    pooled: bool = False  # the head gets the mean of each plane of the last block, else all places of it
    dropout: float = 0.3  # before the head
    shift: int = 2  # pixels, at most, by which a training image is moved, up or down and to the side
    hole: int = 0  # side, in pixels, of a square of each training image that is black (DeVries and Taylor 2017)
    smoothing: float = 0.0  # share of the target that is spread over all classes while it learns (Szegedy et al. 2016)
    flip: bool = False  # half of the training images are mirrored; so is, once more, each image that is classified
    labels: int | None = None  # how many training images have a label; None: all
    validation: int = 5000  # how many of these only decide when to stop
    seed: int = 0

    def __post_init__(self):
        most = (self.labels or 10**6) - self.validation
        limits = {"layer_epochs": (0, 10**6), "epochs": (1, 10**6), "patience": (1, 10**6), "validation": (1, 10**6)}
        limits |= {"hidden": (0, 0.95), "dropout": (0, 0.95), "shift": (0, 14), "batch_size": (1, most)}
        limits |= {"hole": (0, 28), "smoothing": (0, 0.95)}
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise CganError(f"{name} is {getattr(self, name)}; it must be from {low} to {high}.")
        if not self.blocks or not all(self.blocks):
            raise CganError(f"The blocks {self.blocks} hold no convolution; give the filters of each one.")


@channels_last()
def build(recipe, shape, classes, dtype=None):
    """The classifier, freshly initialised: images [N, *shape] in [-1, 1] → [N, classes] float32 logits.

    Its blocks are layers of it, named block_1, block_2, …: [N, side, side, channels] → half the side, never negative.
    """
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype or previous)
    try:
        image = x = Input(shape, name="image")
        for number, filters in enumerate(recipe.blocks, start=1):
            x = _block(tuple(x.shape[1:]), filters, f"block_{number}")(x)
        join = layers.GlobalAveragePooling2D(name="join") if recipe.pooled else layers.Flatten(name="join")
        x = layers.Dropout(recipe.dropout, seed=1, name="dropout")(join(x))
        return keras.Model(image, layers.Dense(classes, name="head", dtype="float32")(x), name="classifier")
    finally:
        keras.config.set_dtype_policy(previous)


def _block(shape, filters, name):
    """Convolutions 3×3 with normalisation and relu; the last one halves the side before it is normalised."""
    x = inputs = Input(shape)
    for i, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, padding="same", use_bias=False, name=f"{name}_conv_{i}")(x)
        if i == len(filters):
            x = layers.MaxPooling2D(name=f"{name}_pool")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm_{i}")(x)
        x = layers.Activation("relu", name=f"{name}_relu_{i}")(x)
    return keras.Model(inputs, x, name=name)


def blocks_of(network):
    """The blocks of a classifier, the first one first."""
    return [layer for layer in network.layers if layer.name.startswith("block_")]


class LayerAutoencoder(Descent):
    """One block, taught to describe its input: a decoder of one layer has to draw that input from the description.

    before: the blocks that make the input from images. They are used as they are, and stay as they are. While it
    learns, the block sees only a part of the places, so that copying what it sees is not enough.
    """

    loss_names = ("squared_error",)
    players = ("block", "decoder")

    @channels_last()
    def __init__(self, before, block, hidden, seed=0):
        super().__init__(name=f"autoencoder_of_{block.name}")
        side, _, channels = block.input.shape[1:]
        # 'valid': the side doubles, and grows by one more where halving had rounded down.
        draw = layers.Conv2DTranspose(channels, 2 + side % 2, strides=2, dtype="float32", name="draw")
        # A name of its own: Keras would number it, differently in each process, and a checkpoint not find it again.
        self.decoder = keras.Sequential([Input(block.output.shape[1:]), draw], name=f"{block.name}_decoder")
        self.before, self.block, self.hidden = list(before), block, hidden
        self.mask_seed = keras.random.SeedGenerator(seed)

    def draw(self, images, hide, training=False):
        """The block's input, what it sees of it, and what the decoder draws: three [N, side, side, channels].

        images: uint8 [N, H, W, C]; hide: whether a part of the places is 0 for the block.
        """
        x = to_signed(images)
        for block in self.before:
            x = block(x, training=False)
        seen = x = ops.cast(x, "float32")
        if hide:
            chance = keras.random.uniform(ops.shape(x[..., :1]), seed=self.mask_seed)
            seen = x * ops.cast(chance >= self.hidden, x.dtype)
        return x, seen, self.decoder(self.block(seen, training=training))

    def error(self, images, training=False):
        """The squared error of the drawing, a scalar: mean over all places, hidden or not."""
        x, _, drawn = self.draw(images, hide=training, training=training)
        return ops.mean(ops.square(drawn - x))

    def train_step(self, data):
        losses, _ = self.descend(lambda: ([self.error(data[0], training=True)], None))
        with no_gradients():
            return self.log(losses)

    def test_step(self, data):
        with no_gradients():
            return self.log([self.error(data[0])], remember=False)


class Classifier(Descent):
    """The whole network and its labels. `best` is a copy of it, from the epoch that `keep_best` was called at last."""

    loss_names = ("cross_entropy",)
    players = ("network",)

    def __init__(self, network, smoothing=0.0):
        super().__init__(name="classifier_game")
        self.network, self.best, self.smoothing = network, copied(network), smoothing
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        self.keep_best()

    @property
    def metrics(self):
        return [*self.mean_losses, self.accuracy]

    def keep_best(self):
        self.best.set_weights(self.network.get_weights())

    def judge(self, data, training=False):
        """[Cross-entropy in nats, a scalar], and the logits [N, classes]. data: (uint8 images, labels)."""
        logits = self.network(to_signed(data[0]), training=training)
        loss = ops.mean(ops.sparse_categorical_crossentropy(data[1], logits, from_logits=True))
        if training and self.smoothing:
            loss = (1 - self.smoothing) * loss - self.smoothing * ops.mean(ops.log_softmax(logits))
        return [loss], logits

    def train_step(self, data):
        losses, logits = self.descend(lambda: self.judge(data, training=True))
        with no_gradients():
            self.accuracy.update_state(data[1], logits)
            return self.log(losses)

    def test_step(self, data):
        with no_gradients():
            losses, logits = self.judge(data)
            self.accuracy.update_state(data[1], logits)
            return self.log(losses, remember=False)
