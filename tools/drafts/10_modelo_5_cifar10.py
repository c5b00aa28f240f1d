# %% [markdown]
# # 10 · modelo_5 on CIFAR-10: four versions of one training
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** Cuatro versiones de modelo_5 aprenden las diez clases de CIFAR-10. Cambian el momento de la normalización, el número de filtros, el optimizador, el tamaño del lote y el lugar del *dropout*. Las ponemos en una misma figura: pérdidas, diferencia entre entrenamiento y prueba, e imágenes a partir del mismo ruido. ¿Qué cambio importó?
#
# Ten classes with 5,000 photographs each, ten times as many as in CIFAR-100. Four trainings were published, each changing something against the one before. The question: **what did momentum, filters, optimizer, batch and the place of the dropout change?**

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters
#
# The four rows of the catalogue, and the columns in which they or their networks differ.

# %%
from dataclasses import asdict

import numpy as np
import pandas as pd

from cgan_utils.architectures import architecture
from cgan_utils.budget import Budget
from cgan_utils.experiments import experiment
from cgan_utils.notebook import claims, watch
from cgan_utils.tables import differences, sizes

budget = Budget()
versions = [experiment(f"modelo_5_cifar10_v{number}") for number in (1, 2, 3, 4)]
settings = versions[1]
rows = {one.name: asdict(one) | asdict(architecture(one.architecture)) for one in versions}
differences(rows)

# %% [markdown]
# Version 2 is the light one: half the planes, no dropout before the verdict (it was meant to see the images through one). Version 3 takes Adam, and batches of 50 in place of 16; version 4 takes the batches and goes back to RMSprop. So four pairs can be compared, and three of them change one thing only:
#
# | question | versions | what else differs |
# |:---|:---|:---|
# | optimizer | 3 (Adam) and 4 (RMSprop) | nothing |
# | batch | 1 (of 16) and 4 (of 50) | nothing, but 50 means a third of the steps |
# | both at once | 1 and 3 | – |
# | size | 1 and 2 | the place of the dropout |
#
# The fifth setting, the momentum of batch normalisation, is 0.8 in all four; the networks of notebooks 06 to 09 have 0.99.

# %%
sizes({one.name: one.architecture for one in versions}, 10, (32, 32, 3)).style.format("{:,}")

# %% [markdown]
# ## Data
#
# 50,000 photographs; notebook 03 explores them. What the ten classes share is little: the background of a ship is as blue as that of an airplane.

# %%
from cgan_utils.datasets import load
from cgan_utils.plots import class_grid, diagram

data = load("cifar10", stand_in=budget.stand_in)
class_grid(data.x_train, data.y_train, data.class_names, title=f"{data.title}: ten training images of each class");

# %% [markdown]
# ## Two networks
#
# Those of version 2, drawn. In versions 1, 3 and 4 every number of planes of the generator is twice as large, and the discriminator has one convolution more.

# %%
from cgan_utils.networks import build

generator, discriminator = build(settings.architecture, data.classes, data.shape)
diagram(generator, f"Generator of version 2: {generator.count_params():,} parameters");

# %%
diagram(discriminator, f"Discriminator of version 2: {discriminator.count_params():,} parameters");

# %% [markdown]
# ### Momentum of batch normalisation
#
# In training a layer is normalised with the mean and variance of the batch. When the generator draws for you, there is no batch: it uses running means, of which each step keeps the share called *momentum*. With 0.99 they look back over some 100 steps, with 0.8 over 5. The smaller, the closer they follow the weights, and the more they depend on the last few batches.

# %%
steps = np.arange(30)
weights = {momentum: (1 - momentum) * momentum**steps for momentum in (0.8, 0.99)}
pd.DataFrame({f"momentum {m}": {"share of the last 5 steps": w[:5].sum(), "of the last 30": w.sum()} for m, w in weights.items()}).round(2)

# %% [markdown]
# ### The place of the dropout
#
# Before the verdict, versions 1, 3 and 4 drop 40 % of 512 features: the discriminator may not rely on any one of them. Version 2 was meant to drop 75 % of the *image*. The published code laid that dropout before what it named as the model's input, so it never ran. This is what the discriminator would have seen (what is dropped becomes grey, the middle of the range; what is left is made four times as strong, so that the mean stays):

# %%
from cgan_utils.backend import keras
from cgan_utils.images import grid
from cgan_utils.layers import to_signed, to_uint8
from cgan_utils.plots import pictures

few = data.x_train[:12]
seen = np.asarray(to_uint8(keras.random.dropout(to_signed(few), 0.75, seed=1)))
pictures({"photographs": grid(few, 6), "with a dropout of 0.75": grid(seen, 6)}, height=2.6);

# %% [markdown]
# Notebook 06 trains with such a dropout, there on digits.

# %% [markdown]
# ## Watch it learn
#
# Version 2, from random weights, ten classes in the columns.

# %%
live = watch(settings, data, images=budget.choose(smoke=160, demo=8_000, full=None))

# %% [markdown]
# ## The shipped runs
#
# Mind the number of epochs: where time was short, the larger networks trained for fewer.

# %%
from cgan_utils.results import Run
from cgan_utils.tables import all_runs, trainings

runs = [Run(one.name) for one in versions]
all_runs(runs)[["parameters", "epochs", "planned", "seconds per epoch", "images seen"]]

# %% [markdown]
# ### At a glance
#
# Losses against the images seen, so that batches of 16 and of 50 compare; how much more often the discriminator is right than about test images (solid lines, images that it learns from, judged alike, show overfitting; notebook 06); and what the four draw from the same noise vectors, a column each.

# %%
from cgan_utils.comparison_plots import at_a_glance

at_a_glance(runs, runs[0].class_names, title="Four versions of modelo_5 on CIFAR-10");

# %%
trainings(runs, last=2).round(3)

# %% [markdown]
# ### Each on its own
#
# The loss of each iteration. The number of iterations differs for two reasons: epochs, and the size of a batch.

# %%
from cgan_utils.plots import epoch_curves, iteration_losses

for run in runs:
    iteration_losses(run.losses, title=f"{run.title}: loss of each iteration")

# %% [markdown]
# Version 2 has enough epochs for curves:

# %%
epoch_curves(runs[1].history, title=runs[1].title);

# %% [markdown]
# ### The images, epoch by epoch

# %%
from cgan_utils.plots import evolution_strip
from cgan_utils.widgets import explore_evolution

for run in runs:
    evolution_strip(run)

# %%
explore_evolution(runs[1])

# %% [markdown]
# ### The last generator, and the averaged one

# %%
from cgan_utils.comparison_plots import last_and_averaged

for run in runs:
    last_and_averaged(run, columns=6)

# %% [markdown]
# ### At the same age
#
# Were they trained equally long? If not, this is the fair look: what each drew after the same number of epochs, from pictures that the trainings kept on their way.

# %%
from cgan_utils.comparison_plots import at_the_same_age

at_the_same_age(runs);

# %% [markdown]
# ### Does the condition condition?
#
# In a picture of the evolution a column has one seed and ten classes. Of all that differs between its images, how much differs *within* columns? That much is the work of the class; the noise decides the rest. At 0 the network ignores what it was asked for.

# %%
from cgan_utils.comparison import class_share
from cgan_utils.comparison_plots import conditioning
from cgan_utils.notebook import show_source

show_source(class_share)

# %%
conditioning(runs);

# %% [markdown]
# ### What the evaluator says

# %%
table = all_runs(runs)
table[["epochs", "class accuracy", "of real images", "Fréchet", "floor", "precision", "recall", "coverage", "verdict"]].round(3)

# %%
from cgan_utils.tables import by_class

by_class(runs).style.format("{:.0%}").background_gradient(cmap="Blues", vmin=0, vmax=1)

# %% [markdown]
# ### One change at a time
#
# The Fréchet distance of either version of a pair (less is better), beside the spread of three repetitions of the measurement. Read only pairs of equal age: more epochs change more than any of these settings.

# %%
def pair(first, second):
    old, new = runs[first - 1], runs[second - 1]
    one, other = (run.metrics["drawn"]["frechet"] for run in (old, new))
    return {
        "epochs": f"{old.record['training']['epochs']}, {new.record['training']['epochs']}",
        "before": one["mean"],
        "after": other["mean"],
        "spread": max(np.ptp(one["values"]), np.ptp(other["values"])),
    }


changes = {"Adam → RMSprop": (3, 4), "batch 16 → 50": (1, 4), "half the planes, no dropout": (1, 2)}
pd.DataFrame({f"{text} (v{a}, v{b})": pair(a, b) for text, (a, b) in changes.items()}).T

# %% [markdown]
# ## What to conclude
#
# Reported: versions 3 and 4 overfit from epoch 5 on, and the larger networks draw better. The first asks for the gap on the right of the figure above, before and after that epoch; the second can be decided by runs of equal age, or if the younger one is ahead.

# %%
def overfits(number, epoch=5):
    history = runs[number - 1].history
    gap = 100 * (history["seen_accuracy"] - history["val_accuracy"])
    early, late = gap[history["epoch"] < epoch], gap[history["epoch"] >= epoch]
    if len(late) < 3:
        return None, f"it was trained for {runs[number - 1].age} here; the gap is {gap.iloc[-1]:+.1f} points so far"
    said = f"gap {early.mean():+.1f} points before epoch {epoch}, {late.mean():+.1f} from it on"
    return bool(late.mean() > max(5, early.mean() + 2)), said


def larger_is_better():
    large = min((run for run in runs if run is not runs[1]), key=lambda run: table.loc[run.name, "Fréchet"])
    ours, theirs = (table.loc[run.name, "Fréchet"] for run in (large, runs[1]))
    decided = ours < theirs or table.loc[large.name, "epochs"] >= table.loc[runs[1].name, "epochs"]
    return bool(ours < theirs) if decided else None, f"{ours:.3g} after {large.age}, version 2 {theirs:.3g} after {runs[1].age}"


# %%
claims(
    {
        "version 3 overfits from epoch 5 on": overfits(3),
        "version 4 overfits from epoch 5 on": overfits(4),
        "the larger networks draw better": larger_is_better(),
    }
)

# %% [markdown]
# ## Your turn

# %%
from cgan_utils.widgets import explore

explore("modelo_5_cifar10_v2", label=8)
