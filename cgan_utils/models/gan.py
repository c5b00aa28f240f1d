"""The two-player game as a Keras model: `fit` is the training loop, `train_step` is one move of the game."""

from ..backend import keras, no_gradients, value_and_gradients
from ..errors import CganError, unknown
from .architectures import LATENT
from .game import Game
from .layers import to_signed

ops = keras.ops

# Who moves together, on the same batch of fakes.
UPDATES = {
    "simultaneous": (("discriminator", "generator"),),
    "alternating": (("discriminator",), ("generator",)),
}


class DiscriminatorScores(keras.metrics.Metric):
    """Accuracy, precision, recall and F1 of the verdicts 'real' (1, logit > 0) and 'fake' (0), over all batches.

    The same numbers as scikit-learn's on the same predictions; a ratio without any case counts as 0.
    A generator that cannot be told from the data brings accuracy to 0.5.
    """

    def __init__(self, name="scores"):
        super().__init__(name=name, dtype="float32")
        # true positives, false negatives, true negatives, false positives
        self.counts = self.add_weight(shape=(4,), initializer="zeros", name="counts")

    def update_state(self, real_logits, fake_logits):
        real, fake = ops.cast(real_logits > 0, "float32"), ops.cast(fake_logits > 0, "float32")
        self.counts.assign_add(ops.stack([ops.sum(real), ops.sum(1 - real), ops.sum(1 - fake), ops.sum(fake)]))

    def result(self):
        tp, fn, tn, fp = ops.unstack(ops.convert_to_tensor(self.counts), 4)

        def ratio(part, whole):
            return part / ops.maximum(whole, 1.0)

        return {
            "accuracy": ratio(tp + tn, tp + fn + tn + fp),
            "precision": ratio(tp, tp + fp),
            "recall": ratio(tp, tp + fn),
            "f1": ratio(2 * tp, 2 * tp + fp + fn),
        }


class ConditionalGAN(Game):
    """A generator and a discriminator that play on batches (uint8 images [N, H, W, C], integer labels [N]).

    Mirza and Osindero 2014, 'Conditional generative adversarial nets', equation 2; with networks that take no labels,
    the unconditional game of Goodfellow et al. 2014. After each step `batch_losses` holds the losses of that batch
    [discriminator, generator]; the logs show their means over the epoch.

    update: 'simultaneous' (one batch of fakes, both gradients from it, then both players move) or 'alternating'
    (the discriminator moves, then the generator on a fresh batch). averaging: share of the old value that the
    averaged generator keeps at each step, batch-normalisation statistics included; its images are steadier.
    """

    loss_names = ("d_loss", "g_loss")
    players = ("generator", "discriminator")

    def __init__(self, generator, discriminator, update="simultaneous", averaging=0.999, seed=0):
        super().__init__(name="conditional_gan")
        if update not in UPDATES:
            raise CganError(unknown("form of the training step", update, UPDATES))
        self.generator, self.discriminator = generator, discriminator
        self.averaged = keras.models.clone_model(generator)
        self.averaged.set_weights(generator.get_weights())
        self.moves, self.averaging = UPDATES[update], averaging
        self.noise_seed, self.test_seed = keras.random.SeedGenerator(seed), seed + 1
        self.conditional = len(generator.inputs) == 2
        self.scores = DiscriminatorScores()
        if not self.conditional:
            self.column = "one noise vector per column"

    def compile(self, loss, d_optimizer, g_optimizer, **options):
        """loss: an `AdversarialLoss`."""
        players = (self.discriminator.trainable_variables, self.generator.trainable_variables)
        super().compile(dict(zip((d_optimizer, g_optimizer), players, strict=True)), **options)
        self.loss_functions, self.label_seed = loss, loss.seed
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self):
        return [*self.mean_losses, self.scores]

    @property
    def kept(self):
        return {**super().kept, "generator_averaged.safetensors": self.averaged}

    def play(self, players, real, labels, noise, training):
        """One batch of fakes, the losses of `players` on it, and the logits (None for real if no one needs them)."""
        condition = [labels] if self.conditional else []
        judge = self.discriminator
        real_logits = judge([real, *condition], training=training) if "discriminator" in players else None
        fake = self.generator([noise, *condition], training=training)
        fake_logits = judge([fake, *condition], training=training)
        losses = {
            "discriminator": lambda: self.loss_functions.discriminator(real_logits, fake_logits),
            "generator": lambda: self.loss_functions.generator(fake_logits),
        }
        return [losses[player]() for player in players], (real_logits, fake_logits)

    def train_step(self, data):
        images, labels = data
        real, losses = to_signed(images), []
        for players in self.moves:
            noise = keras.random.normal((ops.shape(labels)[0], LATENT), seed=self.noise_seed)
            weights = [getattr(self, player).trainable_variables for player in players]
            values, logits, gradients = value_and_gradients(
                lambda players=players, noise=noise: self.play(players, real, labels, noise, training=True), weights
            )
            with no_gradients():
                for player, gradient, weight in zip(players, gradients, weights, strict=True):
                    getattr(self, f"{player[0]}_optimizer").apply(gradient, weight)
                losses += values
                if logits[0] is not None:
                    self.scores.update_state(*logits)
        with no_gradients():
            self._average()
            return self.log(losses)

    def test_step(self, data):
        """Losses and scores on unseen images; the same noise each time, and no weight changes."""
        images, labels = data
        noise = keras.random.normal((ops.shape(labels)[0], LATENT), seed=self.test_seed)
        with no_gradients():
            players = ("discriminator", "generator")
            losses, logits = self.play(players, to_signed(images), labels, noise, training=False)
            self.scores.update_state(*logits)
            return self.log(losses, remember=False)

    def _average(self):
        # Early averages must not be dragged down by the random start: the first steps weigh more.
        step = ops.cast(self.g_optimizer.iterations, "float32")
        keep = ops.minimum(self.averaging, (1 + step) / (10 + step))
        for mean, weight in zip(self.averaged.weights, self.generator.weights, strict=True):
            mean.assign(keep * mean + (1 - keep) * weight)
