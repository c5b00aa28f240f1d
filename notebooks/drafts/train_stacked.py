"""Trains the stacked classifiers and what they are compared with: python train_stacked.py FOLDER [fashion_mnist mnist]

Started again after an interruption, it goes on. FOLDER/stacked_<data set> goes into resultados/.
"""

import sys, time
from dataclasses import replace
from pathlib import Path

from cgan_utils.backend import keras
from cgan_utils.datasets import load
from cgan_utils.stacked import Recipe
from cgan_utils.stacked_results import save
from cgan_utils.stacked_training import fine_tune, pretrain

OUT = Path(sys.argv[1])


class Say(keras.callbacks.Callback):
    def __init__(self, name):
        super().__init__(); self.name = name
    def on_epoch_begin(self, epoch, logs=None):
        self.wall, self.cpu = time.time(), time.process_time()
    def on_epoch_end(self, epoch, logs=None):
        text = " ".join(f"{k} {float(v):.4f}" for k, v in logs.items())
        print(f"{time.strftime('%H:%M:%S')} {self.name} epoch {epoch + 1}: {text} wall {time.time()-self.wall:.0f} s cpu {time.process_time()-self.cpu:.0f} s", flush=True)


BASE = {
    "fashion_mnist": Recipe(epochs=16, layer_epochs=2, shift=1, flip=True),
    "mnist": Recipe(epochs=10, layer_epochs=2, shift=2),
}
FEW = dict(labels=1000, validation=200, batch_size=50, epochs=40, patience=40)


def stacked(name):
    data, base = load(name), BASE[name]
    root, say = OUT / f"stacked_{name}.parts", lambda part: [Say(f"{name} {part}")]
    scratch = replace(base, layer_epochs=0)
    bare = replace(base, dropout=0.0, shift=0, flip=False, weight_decay=0.0, epochs=base.epochs // 2, patience=99)
    layers = pretrain(base, data, root / "layers", extra_callbacks=say("layers"))
    blank = lambda seed: pretrain(replace(scratch, seed=seed), data)
    trainings = {
        "stacked": fine_tune(base, data, layers, root / "stacked", extra_callbacks=say("stacked")),
        "from scratch": fine_tune(scratch, data, blank(0), root / "scratch", extra_callbacks=say("from scratch")),
        "without the cure": fine_tune(bare, data, layers, root / "bare", extra_callbacks=say("without the cure")),
    }
    for seed in range(3):
        few = replace(base, seed=seed, **FEW)
        for text, recipe, start in (("stacked", few, layers), ("from scratch", replace(few, layer_epochs=0), blank(seed))):
            part = f"1,000 labels, {text}, seed {seed}"
            trainings[part] = fine_tune(recipe, data, start, root / f"few_{text.split()[-1]}_{seed}", extra_callbacks=say(part))
    result = save(OUT / f"stacked_{name}", trainings, data)
    print(result.scores.iloc[:, :2], flush=True)
    print("shirt F1", result.scores.get("f1 Shirt"), flush=True)


if __name__ == "__main__":
    for what in sys.argv[2:] or ("fashion_mnist", "mnist"):
        stacked(what)
