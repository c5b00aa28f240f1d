"""modelo_6: a generator of residual blocks, and a discriminator that looks through a classifier which no longer learns.

Sauer et al. 2021, 'Projected GANs converge faster': what a discriminator must first learn to see, a classifier of the
same data, the teacher, sees already. A small head on the image and on each block of the teacher says 'real' or 'fake'.
"""

from functools import partial

from ..backend import keras
from .architectures import EMBEDDING, LATENT
from .classifier import Recipe, blocks_of
from .classifier import build as build_classifier
from .layers import leaky_relu

Input, layers, ops = keras.Input, keras.layers, keras.ops

MOMENTUM = 0.9  # of the generator's batch normalisation
TINY = 1e-8  # a variance, that of a standard deviation of 0.0001
SPREAD_SCALE = 3.0  # so that the plane of the spread is about as large as the others


def build_generator(row, classes, shape):
    """([N, 100] noise, [N] integer labels) → [N, side, side, channels] float32 in [-1, 1]. Miyato et al. 2018, fig. 8.

    Made of Keras's own layers alone, so that what `Run.export` writes opens without this package.
    """
    noise, label = Input((LATENT,), name="noise"), Input((), dtype="int32", name="label")
    start = shape[0] // 2 ** len(row.up)
    normed = classes if "conditional normalisation" not in row.without else 0
    described = layers.Embedding(classes, EMBEDDING, name="label_embedding")(label)
    x = layers.Concatenate(name="join")([noise, described])
    x = layers.Dense(start * start * row.base, name="latent_dense")(x)
    x = layers.Reshape((start, start, row.base), name="latent_map")(x)
    for i, filters in enumerate(row.up, start=1):
        x = residual_up(x, label, normed, filters, f"up_{i}")
    x = layers.ReLU(name="last_relu")(conditional_norm(x, label, normed, "last"))
    x = layers.Conv2D(shape[2], 3, padding="same", name="pixels")(x)
    image = layers.Activation("tanh", name="tanh", dtype="float32")(x)
    return keras.Model([noise, label], image, name="generator")


def conditional_norm(x, label, classes, name):
    """Batch normalisation [N, H, W, C], then a scale and a shift of each plane that are learned per class.

    Dumoulin et al. 2017, equation 5; Miyato and Koyama 2018 use it in the generator. With 0 classes they are the same
    for all: plain batch normalisation.
    """
    if not classes:
        return layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, center=False, scale=False, name=f"{name}_norm")(x)
    for what, start, apply in (("scale", "ones", layers.Multiply), ("shift", "zeros", layers.Add)):
        table = layers.Embedding(classes, x.shape[-1], embeddings_initializer=start, name=f"{name}_{what}_of_class")
        own = layers.Reshape((1, 1, x.shape[-1]), name=f"{name}_{what}_map")(table(label))
        x = apply(name=f"{name}_{what}")([x, own])
    return x


def residual_up(x, label, classes, filters, name):
    """Twice the side: two convolutions, each after a conditional normalisation and relu, beside a short cut of 1×1.

    Pixels are repeated before a convolution; a transposed one would leave a checkerboard (Odena et al. 2016).
    """
    short = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_short")(x)
    short = layers.UpSampling2D(name=f"{name}_short_up")(short)
    x = layers.ReLU(name=f"{name}_relu_1")(conditional_norm(x, label, classes, f"{name}_1"))
    x = layers.UpSampling2D(name=f"{name}_larger")(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv_1")(x)
    x = layers.ReLU(name=f"{name}_relu_2")(conditional_norm(x, label, classes, f"{name}_2"))
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv_2")(x)
    return layers.Add(name=f"{name}_sum")([x, short])


def build_discriminator(row, classes, shape):
    """([N, side, side, channels] images in [-1, 1], [N] labels) → [N, heads] float32 logits, one of each head.

    Its layers block_1, block_2, … are the teacher's; they are as they were initialised until `fill_teacher`, and no
    training changes them. In training, real and drawn images are augmented alike on their way in.
    """
    image, label = Input(shape, name="image"), Input((), dtype="int32", name="label")
    x = image if "augmentation" in row.without else Augment(row.mirror, name="augment")(image)
    logits = [_head(x, label, classes, row, "head_0", kernel=4, stride=2)]
    teacher = build_classifier(Recipe(blocks=row.teacher, pooled=True), shape, classes)
    for i, block in enumerate(blocks_of(teacher)[: row.looks], start=1):
        # Where they don't learn, their batch normalisation, too, uses the teacher's own statistics.
        block.trainable = "teacher" in row.without
        x = block(x)
        logits.append(_head(x, label, classes, row, f"head_{i}"))
    return keras.Model([image, label], layers.Concatenate(name="logits", dtype="float32")(logits), name="discriminator")


def fill_teacher(discriminator, teacher):
    """Copy blocks of `teacher`, a classifier of the same `Recipe.blocks`, into a discriminator, as many as it has."""
    for block, taught in zip(blocks_of(discriminator), blocks_of(teacher), strict=False):
        block.set_weights(taught.get_weights())


def _head(x, label, classes, row, name, kernel=1, stride=1):
    """Planes [N, H, W, C] → one logit [N, 1]: linear(f) + ⟨vector of the class, f⟩, f the sum over all places.

    Miyato and Koyama 2018, equation 3. The sum, not the mean: with the mean, each class collapsed to one picture.
    """
    width = min(row.head, max(64, x.shape[-1]))
    conv = SpectralConv if "spectral norm" not in row.without else partial(layers.Conv2D, padding="same")
    x = leaky_relu(conv(width, kernel, stride, name=f"{name}_1")(x), f"{name}_1")
    if "spread" not in row.without:
        x = ClassSpread(name=f"{name}_spread", dtype="float32")(x, label)
    x = leaky_relu(conv(width, 3, name=f"{name}_2")(x), f"{name}_2")
    x = leaky_relu(conv(width, 3, 2 if x.shape[1] > 4 else 1, name=f"{name}_3")(x), f"{name}_3")
    f = ops.sum(ops.cast(x, "float32"), axis=(1, 2), keepdims=True)
    verdict = ops.reshape(conv(1, 1, name=f"{name}_verdict", dtype="float32")(f), (-1, 1))
    if "projection" in row.without:
        return verdict
    small = keras.initializers.RandomNormal(stddev=0.02, seed=1)
    table = layers.Embedding(classes, width, embeddings_initializer=small, name=f"{name}_class", dtype="float32")
    return verdict + ops.sum(ops.reshape(f, (-1, width)) * table(label), -1, keepdims=True)


class SpectralConv(layers.Layer):
    """A 'same' convolution whose kernel, as a matrix [places·inputs, filters], has largest singular value 1.

    Miyato et al. 2018, algorithm 1: one power iteration each time that the discriminator judges in training; the
    gradient flows through the value.
    """

    def __init__(self, filters, kernel=1, stride=1, **options):
        super().__init__(**options)
        self.filters, self.size, self.stride = filters, kernel, stride

    def build(self, shape):
        start = keras.initializers.Orthogonal(seed=1)
        self.kernel = self.add_weight(
            shape=(self.size, self.size, shape[-1], self.filters), initializer=start, name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self.left = self.add_weight(
            shape=(1, self.filters), initializer="ones", trainable=False, dtype="float32", name="left"
        )

    def compute_output_shape(self, shape):
        height, width = (-(-side // self.stride) for side in shape[1:3])
        return (shape[0], height, width, self.filters)

    def call(self, x, training=False):
        kernel = ops.cast(ops.convert_to_tensor(self.kernel), self.compute_dtype)
        kernel = ops.cast(kernel / ops.cast(self.norm(training), kernel.dtype), x.dtype)
        x = ops.conv(x, kernel, self.stride, "same", "channels_last")
        return x + ops.cast(self.bias, x.dtype)

    def norm(self, training=False):
        """The largest singular value of the kernel, a float32 scalar, as the power iteration knows it so far."""
        matrix = ops.reshape(ops.cast(self.kernel.value, "float32"), (-1, self.filters))
        still = ops.stop_gradient(matrix)
        right = _unit(ops.matmul(self.left.value, ops.transpose(still)))
        left = _unit(ops.matmul(right, still))
        if training:
            self.left.assign(left)
        return ops.sum(ops.matmul(right, matrix) * left)


def _unit(vector):
    return vector / (ops.norm(vector) + 1e-12)


class ClassSpread(layers.Layer):
    """Adds a plane that says how much the images of the same class in the batch differ: 3 × the mean over the features
    of their standard deviation. 0 for a collapsed class, but for rounding, and for a class with one image.

    Karras et al. 2018, section 3, do this over the whole batch. There, ten classes that are each one picture look
    varied enough. planes [N, H, W, C], labels [N] → [N, H, W, C + 1].
    """

    def call(self, planes, label):
        x = ops.cast(planes, "float32")
        flat = ops.reshape(x, (ops.shape(x)[0], -1))
        same = ops.cast(label[:, None] == label[None, :], "float32")
        count = ops.sum(same, axis=1, keepdims=True)
        mean = ops.matmul(same, flat) / count
        # Not E[x²] - E[x]², of which little but rounding is left where the mean is large.
        variance = ops.matmul(same, ops.square(flat - mean)) / ops.maximum(count - 1, 1)
        # √(variance + TINY) - √TINY, written so that it is exactly 0 at 0, where √variance has no finite gradient.
        std = variance / (ops.sqrt(variance + TINY) + TINY**0.5)
        spread = ops.mean(std, axis=1)[:, None, None, None]
        return ops.concatenate([x, SPREAD_SCALE * spread * ops.ones_like(x[..., :1])], axis=-1)

    def compute_output_shape(self, planes_shape, label_shape):
        return (*planes_shape[:-1], planes_shape[-1] + 1)


class Augment(layers.Layer):
    """Differentiable augmentation, in training alone: images [N, H, W, C] in [-1, 1] → the same shape, about the range.

    Zhao et al. 2020: real and drawn images alike, and gradients through it, so that the generator draws images as they
    were before. Brightness, saturation and contrast of half of the images each; place of all of them, by an eighth of
    the side at most, the border repeated; half are mirrored where `mirror` is set.
    """

    def __init__(self, mirror, seed=0, **options):
        super().__init__(**{"dtype": "float32", **options})
        self.mirror, self.seeds = mirror, keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        x = images + self._some(images, 0.3)
        grey = ops.mean(x, axis=-1, keepdims=True)
        x = grey + (x - grey) * (1 + self._some(x, 0.5))
        grey = ops.mean(x, axis=(1, 2, 3), keepdims=True)
        x = grey + (x - grey) * (1 + self._some(x, 0.3))
        x = ops.einsum("nrh,nhwc->nrwc", self._moves(x, x.shape[1], mirror=False), x)
        return ops.einsum("ncw,nhwd->nhcd", self._moves(x, x.shape[2], self.mirror), x)

    def _some(self, images, most):
        """A number in [-most, most] for each image, [N, 1, 1, 1]; half of them 0."""
        value, chance = (keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=self.seeds) for _ in range(2))
        return most * (2 * value - 1) * ops.cast(chance < 0.5, "float32")

    def _moves(self, images, side, mirror):
        """A matrix [N, side, side] for each image that moves its rows (or columns), and turns their order if told."""
        value, chance = (keras.random.uniform((ops.shape(images)[0], 1), seed=self.seeds) for _ in range(2))
        most = side // 8
        move = ops.cast(ops.floor(value * (2 * most + 1)), "int32") - most
        place = ops.clip(ops.arange(side, dtype="int32")[None] + move, 0, side - 1)
        if mirror:
            place = ops.where(chance < 0.5, side - 1 - place, place)
        return ops.one_hot(place, side, dtype="float32")

    def compute_output_shape(self, shape):
        return shape
