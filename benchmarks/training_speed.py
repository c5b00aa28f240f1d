"""Images per second of our `fit`, beside two other ways to run the same game on the same machine.

    ours         `ConditionalGAN` under `fit`, default precision, loss and four scores computed inside the step
    plain loop   a compiled step, then predictions as NumPy arrays and the four scores from scikit-learn, every batch,
                 as the published notebooks did; float32
    bare step    a Keras `train_step` under `fit` without any score; float32

The three take turns, so that whatever else the machine does hits all of them. Needs the TensorFlow backend.

    python benchmarks/training_speed.py [--rounds 5] [--seconds 6]
"""

import argparse
import statistics
import time

import numpy as np
from sklearn import metrics

from cgan_utils import backend
from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.datasets import load
from cgan_utils.experiments import experiment
from cgan_utils.gan import ConditionalGAN
from cgan_utils.layers import to_signed
from cgan_utils.training import batches, make_gan

PLAYERS = ("discriminator", "generator")


class BareGAN(ConditionalGAN):
    """The same networks, optimizers and gradients; no scores, no averaged generator."""

    def move(self, images, labels):
        noise = keras.random.normal((keras.ops.shape(labels)[0], 100), seed=self.noise_seed)
        weights = [getattr(self, player).trainable_variables for player in PLAYERS]
        losses, logits, gradients = value_and_gradients(
            lambda: self.play(PLAYERS, to_signed(images), labels, noise, training=True), weights
        )
        self.d_optimizer.apply(gradients[0], weights[0])
        self.g_optimizer.apply(gradients[1], weights[1])
        return losses, logits

    def train_step(self, data):
        losses, _ = self.move(*data)
        return dict(zip(("d_loss", "g_loss"), losses, strict=True))


def fit(gan, stream, steps):
    gan.fit(stream, steps_per_epoch=steps, shuffle=False, verbose=0)


def make_plain_loop(gan):
    """A loop that leaves the graph for every batch."""
    import tensorflow as tf

    step = tf.function(gan.move)

    def loop(_, stream, steps):
        history = []
        for _ in range(steps):
            images, labels = next(stream)
            losses, logits = step(tf.constant(images), tf.constant(labels))
            verdicts = np.concatenate([logit.numpy()[:, 0] > 0 for logit in logits])
            truth = np.repeat([1, 0], len(labels))
            scores = [
                metrics.accuracy_score(truth, verdicts),
                metrics.precision_score(truth, verdicts, zero_division=0),
                metrics.recall_score(truth, verdicts, zero_division=0),
                metrics.f1_score(truth, verdicts, zero_division=0),
            ]
            history.append([*(float(loss) for loss in losses), *scores])

    return loop


def contestants(settings, data):
    """{name: (model, function that trains it for some steps)}"""
    bare = []
    for _ in range(2):
        gan = make_gan(settings, data, "float32")
        model = BareGAN(gan.generator, gan.discriminator)
        model.compile(gan.loss_functions, keras.optimizers.RMSprop(2e-4), keras.optimizers.RMSprop(2e-4))
        bare.append(model)
    return {
        "ours": (make_gan(settings, data, backend.precision()), fit),
        "plain loop": (bare[0], make_plain_loop(bare[0])),
        "bare step": (bare[1], fit),
    }


def measure(settings, data, rounds, seconds):
    """{name: images per second in each round}, after a warm-up that also finds how many steps fill `seconds`."""
    speeds, players = {}, contestants(settings, data)
    stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed)
    steps = {}
    for name, (model, run) in players.items():
        run(model, stream, 10)
        start = time.perf_counter()
        run(model, stream, 20)
        steps[name] = max(20, round(20 * seconds / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name, (model, run) in players.items():
            start = time.perf_counter()
            run(model, stream, steps[name])
            speed = steps[name] * settings.batch_size / (time.perf_counter() - start)
            speeds.setdefault(name, []).append(speed)
    return speeds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="of training per way and round")
    args = parser.parse_args()
    data = load("mnist")
    print(f"modelo_1 on {data.title}; {backend.machine()}; precision of ours: {backend.precision()}\n")
    print("| batch | ours, images/s | plain loop | bare step | ours / plain loop | ours / bare step |")
    print("|---|---|---|---|---|---|")
    for batch_size in (16, 64):
        speeds = measure(experiment("modelo_1_mnist_v2", batch_size=batch_size), data, args.rounds, args.seconds)
        medians = {name: statistics.median(values) for name, values in speeds.items()}
        ratios = [
            statistics.median(ours / other for ours, other in zip(speeds["ours"], speeds[name], strict=True))
            for name in ("plain loop", "bare step")
        ]
        cells = [*(f"{value:.0f}" for value in medians.values()), *(f"{ratio:.2f}" for ratio in ratios)]
        print(f"| {batch_size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
