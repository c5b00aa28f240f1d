"""What the numbers of a run mean, in a sentence, from fixed thresholds.

| verdict | when |
|---|---|
| draws no recognisable class | what is seen says nothing of what was asked: mutual information under `DEPENDS` of all |
| draws the class that was asked | class accuracy is at least `DRAWS` of what real images get |
| often draws the class that was asked | at least `OFTEN` of it |
| seldom draws the class that was asked | less, though what is seen depends on what was asked |
| collapsed: … vary too little | of these classes the diversity is under `VARIES` of that of real images |
| misses … | without classes: these make less than `PRESENT` of their fair share of the drawings |
| memorises | the median drawing is nearer to a training image than `COPIES` of a test image's distance, in the pixels
  and, where there is an evaluator, in its features, too |
| whether it memorises can't be told | half of the test images are copies of training images
| varied and new | none of the above, and there is no evaluator that could say more |

A class that no evaluator recognises may still change the drawing: `conditioning.class_share` tells.
"""

import re

import numpy as np

DRAWS, OFTEN = 0.8, 0.5
DEPENDS = 0.05
VARIES = 0.5
PRESENT = 0.2
COPIES = 0.4
NAMED = 5  # classes that a sentence names, at most


def verdict(metrics):
    """The verdict on the dict of `evaluation.evaluate`: {"keys": [word, …], "text": one sentence}."""
    parts = [*_of_class(metrics), *_of_presence(metrics), *_of_diversity(metrics), *_of_memory(metrics)]
    keys, texts = zip(*parts or [("varied", "varied and new, as far as the pixels tell")], strict=True)
    text = "; ".join(texts)
    return {"keys": list(keys), "text": f"{text[0].upper()}{text[1:]}."}


def weaknesses(metrics):
    """What to know before drawing with a run, a sentence each: where it is under `DRAWS` of what real images get."""
    drawn, real = metrics["drawn"], metrics["real"]
    if "class_accuracy" in metrics["by_class"]:
        shares, goals = (np.asarray(metrics[side]["class_accuracy"]) for side in ("by_class", "real_by_class"))
        order = np.argsort(shares / np.maximum(goals, 1e-9), kind="stable")  # 0: a class that the evaluator never sees
        worst = [i for i in order if shares[i] < DRAWS * goals[i]]
        if worst:
            said = [f"{metrics['class_names'][i]} {shares[i]:.0%} (real: {goals[i]:.0%})" for i in worst[:NAMED]]
            others = f", and {len(worst) - NAMED} other classes" if len(worst) > NAMED else ""
            yield f"Recognised less often than real images: {', '.join(said)}{others}."
    if "coverage" in drawn and drawn["coverage"]["mean"] < DRAWS * real["coverage"]:
        share = drawn["coverage"]["mean"]
        yield f"{share:.0%} of the real images have a drawing beside them (real: {real['coverage']:.0%})."
    for name, said in (
        ("precision", "of the drawings lie where real images do"),
        ("recall", "of the real images lie where drawings do"),
    ):
        if name in drawn and drawn[name]["mean"] < DRAWS * real[name]:
            yield f"{drawn[name]['mean']:.0%} {said} (real: {real[name]:.0%})."
    ratio = drawn["diversity"]["mean"] / real["diversity"] if real["diversity"] else 1
    if ratio < DRAWS:
        yield f"Two drawings of a class differ {ratio:.0%} as much as two real images do."


def dependence(confusion):
    """Mutual information of the classes asked and seen, as a share, 0 to 1, of the most there could be.

    confusion: counts [asked, seen]. 0: what is seen is independent of what was asked; 1: it follows from it. Few images
    make it too large, by about (C - 1)² / 2N of the C classes and N images (Miller 1955), which is taken off.
    """
    counts = np.asarray(confusion, float)
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    some = joint > 0
    found = (joint[some] * np.log(joint[some] / independent[some])).sum()
    bias = (np.subtract(counts.shape, 1)).prod() / (2 * counts.sum())
    return float(max(0.0, found - bias) / np.log(min(counts.shape)))


def _of_class(metrics):
    if "class_accuracy" not in metrics["drawn"]:
        return
    share, ceiling = metrics["drawn"]["class_accuracy"]["mean"], metrics["real"]["class_accuracy"]
    said = f"({share:.0%} of the images; real ones: {ceiling:.0%})"
    levels = (("draws", DRAWS, "draws"), ("often", OFTEN, "often draws"), ("seldom", 0, "seldom draws"))
    if dependence(metrics["confusion"]) < DEPENDS:
        yield "ignores", f"draws no recognisable class {said}"  # its old key: measured runs hold it
    else:
        key, _, words = next(level for level in levels if share >= level[1] * ceiling)
        yield key, f"{words} the class that was asked {said}"


def _of_presence(metrics):
    if "class_accuracy" in metrics["drawn"] or not metrics["confusion"]:
        return
    shares = np.sum(metrics["confusion"], axis=0) / np.sum(metrics["confusion"])
    missing = np.flatnonzero(shares < PRESENT / len(shares))
    if len(missing):
        yield "misses", f"misses {_named(missing, metrics['seen_names'])}"
    else:
        yield "all", f"draws all {len(shares)} classes"


def _of_diversity(metrics):
    drawn, real = (np.asarray(metrics[side]["diversity"]) for side in ("by_class", "real_by_class"))
    poor = np.flatnonzero(drawn < VARIES * real)
    if len(poor) == len(drawn):
        yield "collapsed", "collapsed: the drawings vary too little"
    elif len(poor):
        yield (
            "collapsed",
            f"collapsed: {_named(poor, metrics['class_names'])} {'vary' if len(poor) > 1 else 'varies'} too little",
        )


def _of_memory(metrics):
    # In the pixels alone a flat drawing is near to everything.
    ratios = [value["mean"] for name, value in metrics["drawn"].items() if re.fullmatch("nearest_.*_ratio", name)]
    if not ratios:
        yield (
            "unknown",
            "whether it memorises can't be told: half of the test images, or more, are copies of training images",
        )
    elif max(ratios) < COPIES:
        doubt = "" if len(ratios) > 1 else ", or so flat that they are near to everything"
        yield "memorises", f"memorises: most drawings are copies of training images{doubt}"


def _named(indices, names):
    """'class 3', 'classes 3 and 8', 'classes a, b, c, d, e and 7 others'."""
    chosen = [str(names[i]) for i in indices[:NAMED]]
    if len(indices) > NAMED:
        chosen.append(f"{len(indices) - NAMED} others")
    listing = " and ".join([", ".join(chosen[:-1]), chosen[-1]] if len(chosen) > 1 else chosen)
    return f"class{'es' if len(indices) > 1 else ''} {listing}"
