"""Milliseconds from a click in the explorer to the bytes of the PNG, warm, for one image and for 64,
with and without what the evaluator sees.

python benchmarks/generation_speed.py [RUN] [--clicks 30]
"""

import argparse
import statistics
import time

from cgan_utils.backend import machine
from cgan_utils.views.explorer import Explorer


def click(explorer, label):
    """Choose a class as a person would; returns milliseconds."""
    before = bytes(explorer.image.value)
    start = time.perf_counter()
    explorer.label.value = label
    milliseconds = 1000 * (time.perf_counter() - start)
    assert bytes(explorer.image.value) != before
    return milliseconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="modelo_1_mnist_v2")
    parser.add_argument("--clicks", type=int, default=30)
    args = parser.parse_args()
    explorer = Explorer(args.run)
    print(f"{args.run}; {machine()}\n\n| images | evaluator | median, ms | slowest of {args.clicks}, ms |")
    print("|---|---|---|---|")
    for count, looks in ((1, True), (1, False), (64, True), (64, False)):
        explorer.count.value, explorer.judge.value = count, looks
        times = [click(explorer, 1 + i % 9 if explorer.label.value != 1 + i % 9 else 0) for i in range(args.clicks + 5)]
        times = times[5:]  # the first ones compile
        row = (count, "looks" if looks else "off", f"{statistics.median(times):.1f}", f"{max(times):.1f}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
