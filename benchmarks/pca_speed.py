"""How long, and how much memory, the PCA of CIFAR-10 takes: all of it, beside the subsample often taken instead.

    python benchmarks/pca_speed.py            every way, one after the other, as a Markdown table

Needs the real CIFAR-10. Each way runs in a process of its own on two threads, so that its peak memory is its own.
"""

import json
import os
import platform
import subprocess
import sys
import time

try:
    import resource
except ImportError:
    sys.exit("This needs Linux or macOS: Windows does not tell the peak memory of a process.")

THREADS = "2"
# (images, components) for scikit-learn's default solver, which then is the randomized one; None: `all_components`.
WAYS = {
    "all 50,000 images, all 3,072 components": None,
    "10,000 images, 750 components, default solver": (10_000, 750),
    "all 50,000 images, 750 components, default solver": (50_000, 750),
}


def measure(way):
    """Fit one way in this process. Returns seconds, CPU seconds, peak memory in GB (10⁹ bytes) and what was found."""
    from sklearn.decomposition import PCA

    from cgan_utils.data.datasets import load
    from cgan_utils.lessons.exploration import SHARES, all_components, components_needed

    images = load("cifar10").x_train
    start, cpu_start = time.monotonic(), time.process_time()
    if WAYS[way] is None:
        pca = all_components(images)
    else:
        count, components = WAYS[way]
        rows = images[:count].reshape(count, -1) / 255  # float64, as NumPy makes it
        pca = PCA(components, random_state=0).fit(rows)
    seconds, cpu = time.monotonic() - start, time.process_time() - cpu_start
    share = float(pca.explained_variance_ratio_.sum())
    needed = components_needed(pca, [s for s in SHARES if s < share])
    unit = 1 if platform.system() == "Darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "share": share, "needed": list(needed.values())}


def main():
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), THREADS)
    print("| way | seconds | CPU seconds | peak memory (GB) | variance covered | components for 90, 95, 99 % |")
    print("|---|---|---|---|---|---|")
    for way in WAYS:
        command = [sys.executable, __file__, way]
        found = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
        cells = [way, f"{found['seconds']:.1f}", f"{found['cpu']:.1f}", f"{found['peak']:.2f}"]
        cells += [f"{found['share']:.1%}", ", ".join(f"{k:,}" for k in found["needed"])]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
