# %% [markdown]
# # 09 · modelo_5 on CIFAR-100: does capacity help, and what does it cost?
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** modelo_5 tiene 49 millones de parámetros, doce veces más que modelo_3. ¿Dibuja mejor? ¿Y cuánto cuesta cada época? Medimos la velocidad de todas las redes de la serie y ponemos a prueba una explicación anterior: que el tiempo depende del número de imágenes y no del tamaño de la red.
#
# If four million parameters give colours, do forty-nine give objects? The network of this notebook has four times as many planes in each layer. Two questions: **does the capacity help**, and **what does it cost?**

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters

# %%
from dataclasses import asdict

import numpy as np
import pandas as pd

from cgan_utils.budget import Budget
from cgan_utils.experiments import SHOWN, experiment
from cgan_utils.notebook import claims, facts, trained, watch

budget = Budget()
settings = experiment("modelo_5_cifar100_v1")
facts(budget=budget.name, **asdict(settings))

# %% [markdown]
# ## What changed against modelo_3 and modelo_4
#
# A kernel has (planes in) × (planes out) numbers at each of its places. Four times as many planes make sixteen times as many numbers, and as much more arithmetic.

# %%
from cgan_utils.architectures import architecture
from cgan_utils.tables import differences, sizes

three = ("modelo_3", "modelo_4", "modelo_5")
differences({name: asdict(architecture(name)) for name in three})

# %%
sizes({name: name for name in three}, 100, (32, 32, 3)).style.format("{:,}")

# %% [markdown]
# ## Data and networks

# %%
from cgan_utils.datasets import load
from cgan_utils.networks import build
from cgan_utils.plots import diagram

data = load("cifar100", stand_in=budget.stand_in)
names = data.class_names
generator, discriminator = build(settings.architecture, data.classes, data.shape)
diagram(generator, f"Generator: {generator.count_params():,} parameters");

# %%
diagram(discriminator, f"Discriminator: {discriminator.count_params():,} parameters");

# %% [markdown]
# ## Watch it learn
#
# On two cores a step of 16 images takes seconds, so this live training sees a few hundred images only: enough to see the pace, not to see anything else.

# %%
columns = [names.index(name) for name in SHOWN[:10] if name in names]
live = watch(settings, data, images=budget.choose(smoke=32, demo=480, full=None), labels=columns)

# %% [markdown]
# ## The shipped run

# %%
from cgan_utils.results import Run

run = Run("modelo_5_cifar100_v1")
others = [Run(name) for name in ("modelo_3_cifar100_v1", "modelo_4_cifar100_v1")]
trained(run)

# %%
from cgan_utils.plots import epoch_curves, evolution_strip, iteration_losses

iteration_losses(run.losses, title=f"{run.title}: loss of each iteration");

# %%
epoch_curves(run.history, title=run.title);

# %% [markdown]
# ### The images, epoch by epoch

# %%
print(", ".join(run.shown_classes))
evolution_strip(run);

# %%
from cgan_utils.widgets import explore_evolution

explore_evolution(run)

# %% [markdown]
# ### The last generator, and the averaged one

# %%
from cgan_utils.comparison_plots import last_and_averaged

last_and_averaged(run, columns);

# %% [markdown]
# ### All hundred classes

# %%
from cgan_utils.images import grid
from cgan_utils.plots import sheet

few = names[: budget.choose(smoke=3, demo=None, full=None)]
four = {name: grid(run.generate(name, range(4)), 2) for name in few}
sheet(four, f"{run.title}: four drawings of each class");

# %% [markdown]
# ## Does capacity help?
#
# The three trainings in one figure: losses against the images seen, the accuracy gap to test images (notebook 06), and what each network draws of the same classes from the same noise vectors. Mind the number of epochs.

# %%
from cgan_utils.comparison_plots import at_a_glance, at_the_same_age

chosen = [name for name in SHOWN if name in names][: budget.choose(smoke=2, demo=None, full=None)]
at_a_glance([*others, run], chosen, title="The same photographs, three networks");

# %% [markdown]
# ### At the same age
#
# Were they trained equally long? If not, this is the fair look: what each drew after the same number of epochs, from pictures that the trainings kept on their way.

# %%
at_the_same_age([*others, run]);

# %% [markdown]
# ### Does the condition condition?
#
# In a picture of the evolution a column has one seed and twenty classes. Of all that differs between its images, how much differs *within* columns? That much is the work of the class; the noise decides the rest. At 0 the network ignores what it was asked for.

# %%
from cgan_utils.comparison import class_share
from cgan_utils.comparison_plots import conditioning
from cgan_utils.notebook import show_source

show_source(class_share)

# %%
conditioning([*others, run]);

# %% [markdown]
# ### What the evaluator says
#
# A fair comparison needs the same number of images seen; the larger network saw fewer where time was short.

# %%
from cgan_utils.tables import all_runs

table = all_runs([*others, run])
shown = ["parameters", "epochs", "images seen", "class accuracy", "of real images", "Fréchet", "floor", "coverage"]
table[[*shown, "verdict"]].round(3)

# %% [markdown]
# ## What does it cost?
#
# `benchmarks/training_speed.py --all` trained each network of the catalogue for some seconds at its published batch size, on a machine that did nothing else. Its numbers lie in `resultados/studies/training_speed.json`.

# %%
import json

from cgan_utils.results import shipped_folder

study = json.loads((shipped_folder() / "studies" / "training_speed.json").read_text(encoding="utf-8"))
speeds = pd.DataFrame(study["runs"]).T
speeds["seconds per epoch"] = speeds["images"] / speeds["images_per_second"]
speeds["share of peak"] = speeds["operations_per_second"] / study["peak"]
print(f"{study['machine']}, {study['precision']}; matrix product: {study['peak'] / 1e9:.0f} Gflop/s")
speeds[["parameters", "batch_size", "images", "images_per_second", "seconds per epoch", "share of peak"]].round(2)

# %% [markdown]
# Seconds of training for one pass over the images, against the number of parameters and against the arithmetic. If time is arithmetic, the points on the right lie on a straight line.

# %%
from cgan_utils.comparison_plots import cost_of_an_epoch

cost_of_an_epoch(speeds);

# %% [markdown]
# Where the time of one step of the slowest network goes. Nearly all is convolutions, forward and backward; what is not arithmetic (optimizers, scores, the averaged generator) is the rest.

# %%
parts = pd.Series(study["parts"], name="milliseconds")
print(study["slowest"])
pd.DataFrame({"milliseconds": parts.round(0), "share": (parts / parts.sum()).round(3)})

# %% [markdown]
# Earlier work explained its times by the number of images: 60,000 digits, 50,000 photographs. It measured with scores computed in a loop of Python after each batch, which costs the same whatever the network. Rank correlations over the ten trainings, published and ours:

# %%
ranks = speeds.astype(float).corr(method="spearman")
causes = {"images": "number of images", "parameters": "parameters", "operations_per_image": "arithmetic per image"}
times = {"published_seconds": "published seconds per epoch", "seconds per epoch": "our seconds per epoch"}
ranks.loc[list(causes), list(times)].rename(index=causes, columns=times).round(2)

# %% [markdown]
# ## What to conclude

# %%
old, new = others[-1].metrics["drawn"], run.metrics["drawn"]
spread = max(np.ptp(one["frechet"]["values"]) for one in (old, new))
change = new["frechet"]["mean"] - old["frechet"]["mean"]
ours = ranks["seconds per epoch"]
seen = new["class_accuracy"]["mean"]

# %%
claims(
    {
        "modelo_5 draws better than modelo_4": (
            None if abs(change) <= spread else bool(change < 0),
            f"Fréchet distance {old['frechet']['mean']:.3g} → {new['frechet']['mean']:.3g}, "
            f"after {others[-1].age} and {run.age}",
        ),
        "most drawings can't be recognised": (seen < 0.5, f"the evaluator recognises {seen:.1%}"),
        "time follows the number of images more than the network": (
            bool(ours["images"] > ours["operations_per_image"]),
            f"rank correlation {ours['images']:+.2f} with images, {ours['operations_per_image']:+.2f} with arithmetic",
        ),
    }
)

# %% [markdown]
# ## Your turn

# %%
from cgan_utils.widgets import explore

explore("modelo_5_cifar100_v1", label=82)
