"""Milliseconds from a click in the explorer to the bytes of the PNG, warm, for one image and for 64.

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
    print(f"{args.run}; {machine()}\n\n| images | median, ms | slowest of {args.clicks}, ms |\n|---|---|---|")
    for count in (1, 64):
        explorer.count.value = count
        times = [click(explorer, 1 + i % 9 if explorer.label.value != 1 + i % 9 else 0) for i in range(args.clicks + 5)]
        times = times[5:]  # the first ones compile
        print(f"| {count} | {statistics.median(times):.1f} | {max(times):.1f} |", flush=True)


if __name__ == "__main__":
    main()
