"""Images per second of a training, by backend and precision, on whatever device is at hand.

    python benchmarks/devices.py [--runs modelo_1_mnist_v2 modelo_5_cifar10_v1 modelo_6_cifar10_v1] [--rounds 3]
        [--seconds 5] [--backends tensorflow torch jax] [--out devices.json]

Each backend that is installed has a process of its own, and all take turns. Beside them, for networks of an
`Architecture`, a *plain loop*: the same two networks and the same step written in PyTorch alone, eager, with channels
last in memory and bfloat16 by autocast where the device has units for it, no scores and no averaged generator.
The images are noise: their pixels don't change the speed. What is timed is `fit`, without test images.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

RUNS = ("modelo_1_mnist_v2", "modelo_5_cifar10_v1", "modelo_6_cifar10_v1")
PLAIN = "plain PyTorch loop"
IMAGES = 3200


def noise_images(settings):
    """An `ImageDataset` of noise in the form of an experiment's."""
    import numpy as np

    from cgan_utils.data.datasets import ImageDataset
    from cgan_utils.data.known import CLASS_NAMES, SHAPES

    random, names = np.random.default_rng(0), CLASS_NAMES[settings.dataset]
    images = random.integers(0, 256, (IMAGES, *SHAPES[settings.dataset]), "uint8")
    labels = random.integers(0, len(names), IMAGES).astype("int32")
    return ImageDataset(settings.dataset, images, labels, images[:100], labels[:100], names)


def ours(name, precision):
    """(device, precision, batch, function that trains for some steps) of the package's own training."""
    from cgan_utils import backend
    from cgan_utils.models.architectures import ARCHITECTURES, Projected
    from cgan_utils.models.experiments import experiment
    from cgan_utils.paths import shipped_folder
    from cgan_utils.results.evaluator import Evaluator
    from cgan_utils.training.batches import batches, stacked
    from cgan_utils.training.train import make_game

    settings, together = experiment(name), backend.steps_per_call()
    looks = isinstance(ARCHITECTURES[settings.architecture], Projected)
    teacher = Evaluator(shipped_folder() / "maestros" / settings.dataset) if looks else None
    data, policy = noise_images(settings), backend.precision(precision)
    game = make_game(settings, data, policy, teacher, steps_per_call=together)
    steps_of_data = IMAGES // settings.batch_size

    def train(steps):
        stream = batches(data.x_train, data.y_train, settings.batch_size, seed=0, group=settings.group)
        calls = -(-steps // together)
        stream = stacked(stream, together, steps_of_data * together) if together > 1 else stream
        with backend.freed_memory_kept():
            game.fit(stream, steps_per_epoch=calls, epochs=1, shuffle=False, verbose=0)
        return calls * together

    return backend.machine(), policy, settings.batch_size, train


def plain(name, _):
    """The same of a loop as one would write it in PyTorch."""
    import plain_torch

    from cgan_utils.models.experiments import experiment

    settings = experiment(name)
    return plain_torch.trainer(settings, noise_images(settings))


def child(kind, name, precision):
    """Answers each line on its input, a number of seconds, by a line of JSON: images per second over as long."""
    device, policy, batch, train = (plain if kind == PLAIN else ours)(name, precision)
    train(2)  # compiles, and lets libraries choose their algorithms
    start = time.perf_counter()
    pace = train(2) / (time.perf_counter() - start)
    for line in sys.stdin:
        start = time.perf_counter()
        steps = train(max(2, round(float(line) * pace)))
        pace = steps / (time.perf_counter() - start)
        print(json.dumps({"device": device, "precision": policy, "batch": batch, "speed": pace * batch}), flush=True)


def measure(name, contestants, rounds, seconds):
    """A row of the table for each contestant (kind, precision); those that can't do it are left out, with a word."""
    processes = {}
    for kind, precision in contestants:
        environment = {**os.environ, "KERAS_BACKEND": "torch" if kind == PLAIN else kind, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, "--child", kind, name, precision]
        pipe = subprocess.PIPE
        processes[kind, precision] = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
    answers = {key: [] for key in processes}
    try:
        for key in [key for _ in range(rounds) for key in processes]:
            process, line = processes[key], ""
            with suppress(OSError):  # it has ended
                process.stdin.write(f"{seconds}\n")
                process.stdin.flush()
                line = process.stdout.readline()
            answers[key] += [json.loads(line)] if line else []
        for kind, _ in [key for key, found in answers.items() if not found]:
            print(f"{kind} could not train {name}; what it said stands above.", file=sys.stderr)
    finally:
        for process in processes.values():
            process.kill()
    rows = []
    for (kind, _), found in answers.items():
        if found:
            speed = statistics.median(answer["speed"] for answer in found)
            rows.append({"run": name, "by": kind, **found[0], "speed": round(speed, 1)})
    return rows


def main():
    if sys.argv[1:2] == ["--child"]:
        return child(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", default=RUNS)
    parser.add_argument("--backends", nargs="+", default=("tensorflow", "torch", "jax"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--precisions", nargs="+", default=("float32", "auto"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    here = [name for name in args.backends if importlib.util.find_spec(name)]
    rows = []
    print("| run | batch | by | precision | images/s | to the plain loop |\n|---|---|---|---|---|---|")
    for name in args.runs:
        contestants = [(kind, precision) for kind in here for precision in args.precisions]
        if importlib.util.find_spec("torch") and not name.startswith("modelo_6"):
            contestants.append((PLAIN, "auto"))
        found = measure(name, contestants, args.rounds, args.seconds)
        loop = next((row["speed"] for row in found if row["by"] == PLAIN), None)
        for row in found:
            ratio = f"{row['speed'] / loop:.2f}" if loop else "–"
            cells = (row["run"], row["batch"], row["by"], row["precision"], f"{row['speed']:,.0f}", ratio)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        rows += found
    print(f"\nOn {rows[0]['device']}." if rows else "Nothing could be measured.")
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
