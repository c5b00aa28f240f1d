"""Where should a VAE's noise come from? Short trainings with several pixel variances, each drawn from in three ways.

python benchmarks/vae_prior.py [VARIANCE …] [--epochs 3]

*prior*: z ~ N(0, I), as the bound supposes. *spread per class*, *Gaussian per class*: a normal distribution is fitted
to the codes of each class's training images once the training has ended, without or with the correlations of their
numbers (Ghosh et al. 2020, arXiv:1903.12436, section 4, there for all classes together). The decoder is the same.
"""

import argparse
from dataclasses import replace

import numpy as np

from cgan_utils import backend, experiment, load
from cgan_utils.lessons.vae_vs_gan import posterior
from cgan_utils.models.layers import to_uint8
from cgan_utils.models.sampling import decode, latent
from cgan_utils.results.evaluator import Evaluator
from cgan_utils.results.measures import frechet_distance
from cgan_utils.training.batches import batches
from cgan_utils.training.train import make_game

PER_CLASS = 200  # drawings
ENCODED = 20_000  # training images whose codes are looked at


def trained(variance, data, epochs):
    """The game after so many epochs, and the two terms of its bound in the last one."""
    settings = replace(experiment("cvae_fashion_mnist"), pixel_variance=variance)
    game, steps = make_game(settings, data, backend.precision("auto")), len(data.x_train) // settings.batch_size
    for epoch in range(epochs):
        stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed, epoch, 0)
        history = game.fit(stream, shuffle=False, steps_per_epoch=steps, verbose=0).history
    return game, {name: values[-1] for name, values in history.items()}


def codes(game, images, labels):
    """A draw from q(z|x, y) for each image: [N, 100]."""
    mean, log_variance = (part.astype("float64") for part in posterior(game.encoder, images, labels))
    return mean + np.exp(log_variance / 2) * np.random.RandomState(0).standard_normal(mean.shape)


def fitted(z, labels, found, classes, correlated):
    """Noise z ~ N(0, I) of these labels, moved and stretched until it is spread like the codes of each class."""
    out = np.empty_like(z)
    for label in range(len(np.unique(classes))):
        some, chosen = found[classes == label], labels == label
        root = np.linalg.cholesky(np.cov(some.T)) if correlated else np.diag(some.std(axis=0))
        out[chosen] = some.mean(axis=0) + z[chosen] @ root.T
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variances", nargs="*", type=float, metavar="VARIANCE", default=[1.0, 0.25, 0.08, 0.03])
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    data, judge = load("fashion_mnist"), Evaluator("fashion_mnist")
    real = judge.look(data.x_test)[0]
    labels = np.repeat(np.arange(data.classes), PER_CLASS)
    z = latent(np.tile(np.arange(5000, 5000 + PER_CLASS), data.classes))
    print("| pixel variance | divergence, nats | noise from | class accuracy | Fréchet |\n|---|---|---|---|---|")
    for variance in args.variances:
        game, terms = trained(variance, data, args.epochs)
        classes = data.y_train[:ENCODED]
        found = codes(game, data.x_train[:ENCODED], classes)
        ways = {"prior": z}
        ways["spread per class"] = fitted(z, labels, found, classes, correlated=False)
        ways["Gaussian per class"] = fitted(z, labels, found, classes, correlated=True)
        for way, noise in ways.items():
            features, chances = judge.look(to_uint8(decode(game.generator, noise, labels)))
            share, distance = (chances.argmax(axis=1) == labels).mean(), frechet_distance(features, real)
            print(f"| {variance:g} | {terms['kl']:.1f} | {way} | {share:.3f} | {distance:.3f} |", flush=True)


if __name__ == "__main__":
    main()
