"""What the two players minimise, as pure functions of the discriminator's logits.

A logit is the number before the sigmoid: D(x|y) = sigmoid(logit) is the probability that image x of class y is real.
Working on logits keeps log D finite where the sigmoid would round to exactly 0 or 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..backend import keras
from .experiments import check_loss

ops = keras.ops


@dataclass(frozen=True)
class AdversarialLoss:
    """discriminator(real_logits, fake_logits) and generator(fake_logits, real_logits), each a scalar, the batch's mean.

    Most generators' losses don't look at the real ones. paired: whether only the difference between a real image's
    logit and a drawing's has a meaning; then no single logit says 'real' or 'fake', and 0 is no threshold.
    """

    discriminator: Callable
    generator: Callable
    seed: keras.random.SeedGenerator | None = None  # of noisy labels, so that a checkpoint can hold its state
    paired: bool = False


def binary_cross_entropy(logits, target):
    """Mean of -target·log D - (1 - target)·log(1 - D), with D = sigmoid(logits); target in [0, 1].

    log D = -softplus(-logit) and log(1 - D) = -softplus(logit), both exact for any logit.
    """
    return ops.mean(target * ops.softplus(-logits) + (1 - target) * ops.softplus(logits))


def minimax_discriminator(real_logits, fake_logits, smoothing=0.0):
    """BCE(1, D(x|y)) + BCE(0, D(G(z|y)|y)): Goodfellow et al. 2014, equation 1, negated to be minimised.

    smoothing: the target for real images is 1 - smoothing (one-sided; Salimans et al. 2016, section 3.4).
    """
    return binary_cross_entropy(real_logits, 1 - smoothing) + binary_cross_entropy(fake_logits, 0.0)


def noisy_minimax_discriminator(real_logits, fake_logits, noise, seed):
    """As `minimax_discriminator`, with targets 1 + noise·u, u ~ U(-1, 1), for real and noise·u, u ~ U(0, 1), for fake.

    For real images the noise averages out, since the cross-entropy is linear in its target. For fake ones the mean
    target is noise/2, so a discriminator that is too sure of them pays for it, and keeps a gradient for the generator.
    """
    real = 1 + noise * keras.random.uniform(ops.shape(real_logits), -1.0, 1.0, seed=seed)
    fake = noise * keras.random.uniform(ops.shape(fake_logits), seed=seed)
    return binary_cross_entropy(real_logits, real) + binary_cross_entropy(fake_logits, fake)


def non_saturating_generator(fake_logits, real_logits=None):
    """BCE(1, D(G(z|y)|y)) = -log D: same fixed point as log(1 - D), strong gradient early (ibid., section 3)."""
    return binary_cross_entropy(fake_logits, 1.0)


def hinge_discriminator(real_logits, fake_logits):
    """mean max(0, 1 - real) + mean max(0, 1 + fake): Lim and Ye 2017; Miyato et al. 2018, equation 16."""
    return ops.mean(ops.relu(1 - real_logits)) + ops.mean(ops.relu(1 + fake_logits))


def hinge_generator(fake_logits, real_logits=None):
    """-mean fake: Miyato et al. 2018, equation 17."""
    return -ops.mean(fake_logits)


def relativistic_discriminator(real_logits, fake_logits):
    """mean softplus(fake - real), in pairs of one class: Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2.

    A fake is judged beside a real image, not by itself: no region of the images can be given up as lost.
    """
    return ops.mean(ops.softplus(fake_logits - real_logits))


def relativistic_generator(fake_logits, real_logits):
    """mean softplus(real - fake), the same pairs the other way round.

    real_logits: no gradient passes through them. In alternating updates they are the discriminator's of before its
    move, which saves judging the real images again; Huang et al. judge both with the discriminator that has moved.
    """
    return ops.mean(ops.softplus(ops.stop_gradient(real_logits) - fake_logits))


def adversarial_loss(name="minimax", smoothing=0.0, label_noise=0.0, seed=0):
    """The loss called `name`, one of `experiments.LOSSES`. smoothing or label_noise, in [0, 0.5), are for minimax only.

    Raises CganError for an unknown name or a smoothing or noise that makes no sense.
    """
    check_loss(name, smoothing, label_noise)
    if name == "hinge":
        return AdversarialLoss(hinge_discriminator, hinge_generator)
    if name == "relativistic":
        return AdversarialLoss(relativistic_discriminator, relativistic_generator, paired=True)
    if label_noise:
        seeds = keras.random.SeedGenerator(seed)
        noisy = partial(noisy_minimax_discriminator, noise=label_noise, seed=seeds)
        return AdversarialLoss(noisy, non_saturating_generator, seeds)
    return AdversarialLoss(partial(minimax_discriminator, smoothing=smoothing), non_saturating_generator)
