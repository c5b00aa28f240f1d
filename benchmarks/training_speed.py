"""Images per second of our `fit`, beside two other ways to run the same game on the same machine.

    ours         `ConditionalGAN` under `fit`, default precision, loss and four scores computed inside the step
    plain loop   a compiled step, then predictions as NumPy arrays and the four scores from scikit-learn, every batch,
                 as the published notebooks did; float32
    bare step    a Keras `train_step` under `fit` without any score; float32

The three take turns, so that whatever else the machine does hits all of them. Needs the TensorFlow backend.

    python benchmarks/training_speed.py [--rounds 5] [--seconds 6]
    python benchmarks/training_speed.py --all [--out resultados/studies/training_speed.json]

With --all: every training whose seconds per epoch were published, at its published batch size, beside the machine's
fastest matrix product, and for the slowest of them where the time of a step goes.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
from sklearn import metrics

from cgan_utils import backend
from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.data.datasets import load
from cgan_utils.models.architectures import LATENT, conditional
from cgan_utils.models.experiments import EXPERIMENTS, experiment
from cgan_utils.models.gan import ConditionalGAN
from cgan_utils.models.layers import to_signed
from cgan_utils.results.tables import operations
from cgan_utils.training.batches import batches
from cgan_utils.training.train import make_gan

PLAYERS = ("discriminator", "generator")


class BareGAN(ConditionalGAN):
    """The same networks, optimizers and gradients; no scores, no averaged generator."""

    def move(self, images, labels):
        noise = keras.random.normal((keras.ops.shape(labels)[0], 100), seed=self.noise_seed)
        weights = [getattr(self, player).trainable_variables for player in PLAYERS]
        losses, logits, gradients = value_and_gradients(
            lambda: self.both_losses(to_signed(images), labels, noise), weights
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


def seconds_per_step(run, model, stream, steps):
    start = time.perf_counter()
    run(model, stream, steps)
    return (time.perf_counter() - start) / steps


def enough(run, model, stream, least, seconds):
    """How many steps, `least` or more, fill so many seconds; found after a warm-up."""
    run(model, stream, least)
    return max(least, round(seconds / seconds_per_step(run, model, stream, least)))


def measure(settings, data, rounds, seconds):
    """{name: images per second in each round}, after a warm-up that also finds how many steps fill `seconds`."""
    speeds, players = {}, contestants(settings, data)
    stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed)
    steps = {}
    for name, (model, run) in players.items():
        steps[name] = enough(run, model, stream, 20, seconds)
    for _ in range(rounds):
        for name, (model, run) in players.items():
            speed = settings.batch_size / seconds_per_step(run, model, stream, steps[name])
            speeds.setdefault(name, []).append(speed)
    return speeds


def peak(policy, size=2048):
    """Floating-point operations per second in a square matrix product of `policy`'s precision: the fastest of 30."""
    import tensorflow as tf

    factor = tf.cast(tf.random.normal((size, size)), policy.removeprefix("mixed_"))
    multiply = tf.function(lambda: tf.matmul(factor, factor))
    return 2 * size**3 / min(_seconds(multiply, 30))


def _seconds(call, times):
    """How long each of `times` calls took, after two to warm up."""
    found = []
    for _ in range(times + 2):
        start = time.perf_counter()
        keras.tree.map_structure(keras.ops.convert_to_numpy, call())
        found.append(time.perf_counter() - start)
    return found[2:]


def measure_all(rounds, seconds):
    """A row per published experiment, each the fastest of its rounds: what else a machine does only ever delays it."""
    rows, policy = {}, backend.precision()
    chosen = [row for row in EXPERIMENTS.values() if row.published_seconds and conditional(row.architecture)]
    for settings in chosen:
        data = load(settings.dataset)
        gan = make_gan(settings, data, policy)
        stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed)
        steps = enough(fit, gan, stream, 3, seconds)
        taken = min(seconds_per_step(fit, gan, stream, steps) for _ in range(rounds))
        speed, work = settings.batch_size / taken, operations(settings, data.shape)
        rows[settings.name] = {
            "parameters": gan.generator.count_params(),
            "batch_size": settings.batch_size,
            "images": len(data.x_train),
            "images_per_second": speed,
            "operations_per_image": work,
            "operations_per_second": speed * work,
            "published_seconds": settings.published_seconds,
        }
        print(_line(settings.name, rows[settings.name]), flush=True)
        keras.utils.clear_session()
    slowest = min(rows, key=lambda name: rows[name]["images_per_second"])
    return {"machine": backend.machine(), "precision": policy, "peak": peak(policy), "runs": rows, "slowest": slowest}


HEADER = "| run | parameters | batch | images/s | training on all images, s | Gflop per image | Gflop/s |"


def _machine(policy, speed):
    return f"{backend.machine()}; {policy}; matrix product {speed / 1e9:.0f} Gflop/s"


def _line(name, row):
    epoch = row["images"] / row["images_per_second"]
    cells = (f"{row['parameters']:,}", row["batch_size"], f"{row['images_per_second']:.1f}", f"{epoch:.0f}")
    work = (f"{row['operations_per_image'] / 1e9:.2f}", f"{row['operations_per_second'] / 1e9:.0f}")
    return f"| {' | '.join(map(str, (name, *cells, *work)))} |"


def parts(settings, data, times=8):
    """{part of a step: milliseconds, at best}: each is what the step takes with it, less what it takes without."""
    import tensorflow as tf

    gan = make_gan(settings, data, backend.precision())
    images, labels = (tf.constant(part[: settings.batch_size]) for part in (data.x_train, data.y_train))
    noise = tf.random.normal((settings.batch_size, LATENT))
    weights = [getattr(gan, player).trainable_variables for player in PLAYERS]

    def play():
        return gan.both_losses(to_signed(images), labels, noise)

    def move():
        losses, _, gradients = value_and_gradients(play, weights)
        gan.d_optimizer.apply(gradients[0], weights[0])
        gan.g_optimizer.apply(gradients[1], weights[1])
        return losses

    stages = {
        "draw": lambda: tf.reduce_sum(gan.generator([noise, labels], training=True)),
        "judge": lambda: play()[0],
        # Sums: to hand the gradients out would cost time that no training spends.
        "gradients": lambda: [tf.reduce_sum(g) for part in value_and_gradients(play, weights)[2] for g in part],
        "optimizers": move,
        "scores and averaged generator": lambda: gan.train_step((images, labels)),
    }
    totals = [1000 * min(_seconds(tf.function(stage), times)) for stage in stages.values()]
    return {name: after - before for name, after, before in zip(stages, totals, [0, *totals], strict=False)}


def report_all(rounds, seconds, out):
    print(f"{HEADER}\n|{'---|' * 7}")
    with backend.freed_memory_kept():  # as `train` does
        found = measure_all(rounds, seconds)
        settings = experiment(found["slowest"])
        found["parts"] = parts(settings, load(settings.dataset))
    print(f"\n{_machine(found['precision'], found['peak'])}")
    shares = {name: row["operations_per_second"] / found["peak"] for name, row in found["runs"].items()}
    print("Share of it:", ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    print(f"\nA step of {found['slowest']}:", ", ".join(f"{n} {ms:.0f} ms" for n, ms in found["parts"].items()))
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="of training per way and round")
    parser.add_argument("--all", action="store_true", help="each published experiment, at its own batch size")
    parser.add_argument("--out", type=Path, help="with --all: a JSON file for what was measured")
    args = parser.parse_args()
    if args.all:
        return report_all(args.rounds, args.seconds, args.out)
    data = load("mnist")
    policy = backend.precision()
    print(f"modelo_1 on {data.title}; {_machine(policy, peak(policy))}\n")
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
