"""The two-player game as a Keras model: `fit` is the training loop, `train_step` is one move of the game."""

from ..backend import copied, divided, keras, no_gradients, value_and_gradients
from ..errors import CganError, unknown
from ..files import AVERAGED
from .experiments import UPDATES
from .game import Game
from .layers import to_signed

ops = keras.ops


class DiscriminatorScores(keras.metrics.Metric):
    """Accuracy, precision, recall and F1 of the verdicts 'real' (1, logit > 0) and 'fake' (0), over all batches.

    The same numbers as scikit-learn's on the same predictions; a ratio without any case counts as 0.
    A generator that cannot be told from the data brings accuracy to 0.5. paired: the verdicts are on pairs of a real
    image and a drawing, and the only score is the share of the pairs in the right order, called accuracy, too.
    """

    def __init__(self, paired=False, name="scores"):
        super().__init__(name=name, dtype="float32")
        self.paired = paired
        # true positives, false negatives, true negatives, false positives
        self.counts = self.add_weight(shape=(4,), initializer="zeros", name="counts")

    def update_state(self, real_logits, fake_logits):
        if self.paired:
            real_logits, fake_logits = real_logits - fake_logits, fake_logits - real_logits
        real, fake = ops.cast(real_logits > 0, "float32"), ops.cast(fake_logits > 0, "float32")
        self.counts.assign_add(ops.stack([ops.sum(real), ops.sum(1 - real), ops.sum(1 - fake), ops.sum(fake)]))

    def result(self):
        tp, fn, tn, fp = ops.unstack(ops.convert_to_tensor(self.counts), 4)

        def ratio(part, whole):
            return part / ops.maximum(whole, 1.0)

        accuracy = {"accuracy": ratio(tp + tn, tp + fn + tn + fp)}
        if self.paired:
            return accuracy
        return {
            **accuracy,
            "precision": ratio(tp, tp + fp),
            "recall": ratio(tp, tp + fn),
            "f1": ratio(2 * tp, 2 * tp + fp + fn),
        }


class ConditionalGAN(Game):
    """A generator and a discriminator that play on batches (uint8 images [N, H, W, C], integer labels [N]).

    Mirza and Osindero 2014, 'Conditional generative adversarial nets', equation 2; with networks that take no labels,
    the unconditional game of Goodfellow et al. 2014. After each step the last row of `batch_losses` holds
    the losses of that batch, [discriminator, generator]; the logs show their means over the epoch.

    update: 'simultaneous' (one batch of fakes, both gradients from it, then both players move) or 'alternating'
    (the discriminator moves, then the generator on a fresh batch). averaging: share of the old value that the
    averaged generator keeps at each step, batch-normalisation statistics included; its images are steadier.
    draw_averaged: whether it is the averaged generator that draws, and that is scored.
    """

    loss_names = ("d_loss", "g_loss")
    players = ("generator", "discriminator")

    def __init__(self, generator, discriminator, update="simultaneous", averaging=0.999, seed=0, draw_averaged=False):
        super().__init__(name="conditional_gan")
        if update not in UPDATES:
            raise CganError(unknown("form of the training step", update, UPDATES))
        self.generator, self.discriminator = generator, discriminator
        self.averaged = copied(generator)
        self.averaged.set_weights(generator.get_weights())
        self.update, self.averaging, self.draw_averaged = update, averaging, draw_averaged
        self.latent = generator.inputs[0].shape[-1]
        self.noise_seed, self.test_seed = keras.random.SeedGenerator(seed), seed + 1
        self.conditional = len(generator.inputs) == 2
        if not self.conditional:
            self.column = "one noise vector per column"

    def compile(self, loss, d_optimizer, g_optimizer, **options):
        """loss: an `AdversarialLoss`."""
        self.scores = DiscriminatorScores(loss.paired)
        players = (self.discriminator.trainable_variables, self.generator.trainable_variables)
        super().compile(dict(zip((d_optimizer, g_optimizer), players, strict=True)), **options)
        self.loss_functions, self.label_seed = loss, loss.seed
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self):
        return [*self.mean_losses, self.scores]

    @property
    def drawer(self):
        return self.averaged if self.draw_averaged else self.generator

    @property
    def kept(self):
        return {**super().kept, AVERAGED: self.averaged}

    def scaled(self, images):
        """Images as both networks know them: uint8 [N, H, W, C] → float32 in [-1, 1]."""
        return to_signed(images)

    def noise(self, labels, seed):
        """z ~ N(0, I), one vector for each label: float32 [N, latent]."""
        return divided(keras.random.normal((ops.shape(labels)[0], self.latent), seed=seed))

    def generate(self, noise, labels, training=False):
        """G(z|y): noise [N, latent] and labels [N] → images [N, H, W, C] in [-1, 1]."""
        return self.generator([noise, labels] if self.conditional else [noise], training=training)

    def judge(self, images, labels, training=False):
        """The logits of D(x|y): images [N, H, W, C] in [-1, 1] and labels [N] → [N, heads]; most have one head."""
        return self.discriminator([images, labels] if self.conditional else [images], training=training)

    def discriminator_loss(self, real, labels, noise, training=True):
        """([discriminator's loss], (logits of the real images, logits of the fakes)) on one batch."""
        real_logits = self.judge(real, labels, training)
        fake_logits = self.judge(self.generate(noise, labels, training), labels, training)
        return [self.loss_functions.discriminator(real_logits, fake_logits)], (real_logits, fake_logits)

    def generator_loss(self, labels, noise, real_logits):
        """([generator's loss], logits of the fakes) on a batch of fakes; real_logits: of images of the same classes."""
        fake_logits = self.judge(self.generate(noise, labels, training=True), labels, training=True)
        return [self.loss_functions.generator(fake_logits, real_logits)], fake_logits

    def both_losses(self, real, labels, noise, training=True):
        """([discriminator's loss, generator's loss], both logits), from the same batch of fakes."""
        [d_loss], (real_logits, fake_logits) = self.discriminator_loss(real, labels, noise, training)
        return [d_loss, self.loss_functions.generator(fake_logits, real_logits)], (real_logits, fake_logits)

    def train_step(self, data):
        images, labels = data
        real, noise = self.scaled(images), self.noise(labels, self.noise_seed)
        d_weights, g_weights = self.discriminator.trainable_variables, self.generator.trainable_variables
        if self.update == "simultaneous":
            # Both gradients are taken before either player moves.
            (d_loss, g_loss), logits, (d_slopes, g_slopes) = value_and_gradients(
                lambda: self.both_losses(real, labels, noise), [d_weights, g_weights]
            )
            with no_gradients():
                self.d_optimizer.apply(d_slopes, d_weights)
        else:
            (d_loss,), logits, (d_slopes,) = value_and_gradients(
                lambda: self.discriminator_loss(real, labels, noise), [d_weights]
            )
            with no_gradients():
                self.d_optimizer.apply(d_slopes, d_weights)
            # The generator answers the discriminator that has just moved, with fresh fakes. A loss that compares them
            # with the real images takes these logits from before the move: one judgement less, and nearly the same.
            fresh = self.noise(labels, self.noise_seed)
            (g_loss,), _, (g_slopes,) = value_and_gradients(
                lambda: self.generator_loss(labels, fresh, logits[0]), [g_weights]
            )
        with no_gradients():
            self.g_optimizer.apply(g_slopes, g_weights)
            self.scores.update_state(*logits)
            self._average()
            return self.log([d_loss, g_loss])

    def test_step(self, data):
        """Losses and scores on unseen images; no weight changes.

        The noise z is the same in each evaluation, and in each of its batches: as many vectors as a batch has images.
        Noisy labels are drawn afresh.
        """
        images, labels = data
        with no_gradients():
            noise = self.noise(labels, self.test_seed)
            losses, logits = self.both_losses(self.scaled(images), labels, noise, training=False)
            self.scores.update_state(*logits)
            return self.log(losses, remember=False)

    def _average(self):
        # Early averages must not be dragged down by the random start: the first steps weigh more.
        step = ops.cast(self.g_optimizer.iterations, "float32")
        keep = ops.minimum(self.averaging, (1 + step) / (10 + step))
        for mean, weight in zip(self.averaged.weights, self.generator.weights, strict=True):
            mean.assign(keep * mean + (1 - keep) * weight)
