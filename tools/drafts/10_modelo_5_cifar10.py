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
# Version 2 is the light one: half the planes, no dropout before the verdict (it was meant to see the images through one, as in notebook 06). Version 3 takes Adam, and batches of 50 in place of 16; version 4 takes the batches and goes back to RMSprop.

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
# ### Losses and the gap between training and test
#
# The four versions in one figure. On the right: how much more often the discriminator is right than about test images; solid lines, images that it learns from, judged alike, show overfitting (notebook 06).

# %%
from cgan_utils.comparison_plots import strips, training_curves

training_curves({run.name: run.history for run in runs}, "Four versions of modelo_5 on CIFAR-10");

# %%
trainings(runs, last=3).round(3)

# %% [markdown]
# ### Each on its own
#
# Losses and scores of each epoch.

# %%
from cgan_utils.plots import epoch_curves

for run in runs:
    epoch_curves(run.history, title=run.title)

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
# ### From the same noise
#
# A row is a class, a column a noise vector, a block a version.

# %%
blocks = {run.name.removeprefix("modelo_5_cifar10_"): {name: run.generate(name, range(6)) for name in run.class_names} for run in runs}
strips(blocks, "Four versions, the same noise vectors");

# %% [markdown]
# ### At the same age
#
# Were they trained equally long? If not, this is the fair look: what each drew after the same number of epochs, from pictures that the trainings kept on their way.

# %%
from cgan_utils.comparison_plots import at_the_same_age

at_the_same_age(runs);

# %% [markdown]
# ### What the evaluator says

# %%
table = all_runs(runs)
table[["epochs", "class accuracy", "of real images", "Fréchet", "floor", "precision", "recall", "coverage", "verdict"]].round(3)

# %%
from cgan_utils.tables import by_class

by_class(runs).style.format("{:.0%}").background_gradient(cmap="Blues", vmin=0, vmax=1)

# %% [markdown]
# ## What to conclude
#
# Reported: versions 3 and 4 overfit from epoch 5 on. We look at the gap on the right of the figure above, before and after that epoch.

# %%
def overfits(number, epoch=5):
    history = runs[number - 1].history
    gap = 100 * (history["seen_accuracy"] - history["val_accuracy"])
    early, late = gap[history["epoch"] < epoch], gap[history["epoch"] >= epoch]
    said = f"gap {early.mean():+.1f} points before epoch {epoch}, {late.mean():+.1f} from it on ({len(history)} epochs)"
    return (None if len(late) < 3 else bool(late.mean() > max(5, early.mean() + 2))), said


best = table["Fréchet"].astype(float).idxmin()

# %%
claims(
    {
        "version 3 overfits from epoch 5 on": overfits(3),
        "version 4 overfits from epoch 5 on": overfits(4),
        "the larger networks draw better": (
            bool(best != settings.name),
            f"smallest Fréchet distance: {best}, {table.loc[best, 'Fréchet']:.3g}; version 2: {table.loc[settings.name, 'Fréchet']:.3g}",
        ),
    }
)

# %% [markdown]
# ## Your turn

# %%
from cgan_utils.widgets import explore

explore("modelo_5_cifar10_v2", label=8)
