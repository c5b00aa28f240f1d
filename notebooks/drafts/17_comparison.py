# %% [markdown]
# # 17 · How good are the images?
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** Las curvas de pérdida no dicen nada de los dibujos, y a ojo se ve lo que se quiere ver. Aquí medimos todos los entrenamientos de la serie con el mismo protocolo: ¿dibujan la clase que se pide?, ¿varían?, ¿copian? Primero vemos por qué las pérdidas engañan; después comparamos todas las redes en una tabla que puedes ordenar, sus mejores y peores clases, lo que costaron, y las imágenes reales más parecidas a las dibujadas. Las conclusiones de la serie salen de esos números.
#
# A loss compares two players with each other. It cannot say whether a person would recognise the picture. So we ask three questions of every run, each with a number: does it draw *what was asked*, are the drawings *varied*, and are they *new*? The same numbers for real images stand beside them; they are the goal.

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters
#
# All runs that ship with the series and draw from noise. Each was measured by `cgan evaluate`, which left its numbers in `metrics.json`; nothing is typed by hand here.

# %%
import numpy as np
import pandas as pd

from cgan_utils.budget import Budget
from cgan_utils.results import Run, list_runs, shipped_folder

budget = Budget()
runs = [Run(path) for path in list_runs().values() if path.parent == shipped_folder()]
runs = [run for run in runs if run.experiment.game != "autoencoder"]
judged = {run.name: run for run in runs if run.metrics and run.metrics["protocol"]["evaluator"]}
pd.DataFrame({run.name: {"what it draws": run.record["data"]["title"], **run.metrics["protocol"]} for run in runs}).loc[
    ["what it draws", "images_per_class", "repeats", "evaluator", "evaluator_accuracy", "generator"]
].T

# %% [markdown]
# ## Who judges?
#
# For each data set a small classifier was trained on the real images: the *evaluator*. It looks at a drawing and says which class it sees. Its own errors are the ceiling: where it takes 6 % of the real images for something else, no generator can be expected to do better. What it computes just before its answer, some hundred numbers, serves as a description of the image; distances between descriptions say how far two sets of images are apart.
#
# - *Class accuracy*: share of the drawings that are taken for the class that was asked for.
# - *Fréchet distance*: how far the mean and the covariance of the descriptions are from those of real images; 0 is the goal. In the features of our evaluator, it compares only with itself, and is not the FID of the literature.
# - *Precision* and *recall*: share of the drawings that lie where real images do, and of the real images that lie where drawings do.
# - *Coverage*: share of the real images that have a drawing beside them.
# - *Diversity*: how different two drawings of a class are, in grey levels, as a share of what it is for real images.

# %%
from cgan_utils.notebook import show_source
from cgan_utils.verdicts import dependence

show_source(dependence)

# %% [markdown]
# Every number was taken three times, from other seeds. How far do the three differ? Differences between two runs that are no larger mean nothing.

# %%
first = next(iter(judged.values()))
drawn, real = first.metrics["drawn"], first.metrics["real"]
rows = {name: {"draws": value["values"], "real images": real.get(name, "")} for name, value in drawn.items()}
print(first.title, "-", first.metrics["verdict"]["text"])
pd.DataFrame(rows).T

# %% [markdown]
# ## Why not the losses?
#
# A short training, with its drawings judged after each epoch. Compare the panels on the left, which every GAN paper shows, with those on the right. Would you have known from the losses that the drawings got better, and when they stopped to?

# %%
from cgan_utils.datasets import load
from cgan_utils.experiments import experiment
from cgan_utils.notebook import watch

digits = load("mnist", stand_in=budget.stand_in)
live = watch(
    experiment("modelo_1_mnist_v2", batch_size=64),
    digits,
    images=budget.choose(smoke=320, demo=4_000, full=60_000),
    epochs=budget.choose(smoke=2, demo=12, full=20),
    score=None if digits.stand_in else 50,
)

# %%
from cgan_utils.plots import epoch_curves

epoch_curves(live.history, title=f"{live.title}, {live.record['data']['images']:,} images per epoch");

# %%
history = live.history
if "frechet" in history:
    related = history[["d_loss", "g_loss"]].corrwith(history["frechet"], method="spearman")
    print("rank correlation of the losses with the distance from real images, over the epochs:")
    print(related.round(2).to_string())

# %% [markdown]
# ## All runs in one table
#
# Choose a column to sort by. *Of real images* and *floor* are what real images get.

# %%
from cgan_utils.evaluation_views import explore_table
from cgan_utils.tables import all_runs

table = all_runs(runs).drop(columns="keys")
explore_table(table, "class accuracy")

# %%
table[["data", "epochs", "planned", "class accuracy", "of real images", "Fréchet", "floor", "coverage", "verdict"]].round(3)

# %% [markdown]
# ## Cost and quality
#
# Each point is a run: hours of training to the right, class accuracy upwards, as a share of what real images get. The area grows with the number of parameters. Look for points that are far to the right without being high.

# %%
from cgan_utils.evaluation_plots import cost_and_quality

cost_and_quality(table);

# %% [markdown]
# ## Best and worst classes
#
# An average hides that a network knows some classes and not others. The three classes that each run draws best, and the three it draws worst, from the same ten seeds.

# %%
from cgan_utils.evaluation_plots import extremes

for run in judged.values():
    if run.conditional:
        extremes(run, run.metrics)

# %% [markdown]
# What are the wrong ones taken for? Rows are what was asked, columns what the evaluator sees. A bright field off the diagonal is a pair that the generator mixes up.

# %%
from cgan_utils.evaluation_plots import seen_as

for run in judged.values():
    if run.conditional:
        seen_as(run.metrics, run.title)

# %% [markdown]
# ## The same class, by every model that knows it
#
# The same seeds in each row. Two networks do not mean the same image by the same seed; what to compare is the rows as a whole.

# %%
from cgan_utils.evaluation_views import explore_class

explore_class(runs)

# %% [markdown]
# ## New, or remembered?
#
# A generator that repeats its training images would pass every test so far. For some drawings here are the nearest of all training images: in the pixels, and in the evaluator's features. They should be of the same kind, and different images.

# %%
from cgan_utils.evaluation_plots import neighbours
from cgan_utils.evaluators import find_evaluator
from cgan_utils.measures import nearest


def beside_real(run, data, count=10):
    labels = np.arange(count) % len(run.class_names)
    images, judge = run.generate(labels, range(count)), find_evaluator(data.name, data.stand_in)
    rows = {"nearest, pixels": data.x_train[nearest(images, data.x_train)[1]]}
    if judge:
        features = (judge.look(some)[0] for some in (images, data.x_train))
        rows["nearest, features"] = data.x_train[nearest(*features)[1]]
    return neighbours(images, rows, f"{run.title} and its training images")


# %%
for name in dict.fromkeys(run.record["data"]["name"] for run in judged.values()):
    best = min(
        (run for run in judged.values() if run.record["data"]["name"] == name),
        key=lambda run: run.metrics["drawn"]["frechet"]["mean"],
    )
    data = load(name, stand_in=budget.stand_in)
    beside_real(best, data.limited(2_000) if budget.name == "smoke" else data)

# %% [markdown]
# As numbers, for all runs: the median distance of a drawing to its nearest training image, divided by that of a test image. Copies have 0. Blurred drawings lie near to everything, in the pixels; so a value a little under 1 is no proof.

# %%
names = ["nearest_pixels_ratio", "nearest_pixels_share", "nearest_features_ratio", "nearest_features_share"]
found = {run.name: {name: run.metrics["drawn"].get(name, {}).get("mean") for name in names} for run in runs}
pd.DataFrame(found).T.astype(float).round(3)

# %% [markdown]
# ## Conclusions
#
# Each is computed from the numbers above.

# %%
from IPython.display import Markdown

known = table.dropna(subset=["class accuracy"])
share = known["class accuracy"].astype(float) / known["of real images"].astype(float)
lines = []
for data, group in known.groupby("data"):
    best, worst = (share[group.index].agg(which) for which in ("idxmax", "idxmin"))
    lines.append(
        f"- **{data}**: {best} draws the class that was asked in {known.loc[best, 'class accuracy']:.0%} of its images "
        f"(real ones: {known.loc[best, 'of real images']:.0%}), {worst} in {known.loc[worst, 'class accuracy']:.0%}; "
        f"Fréchet distances {known.loc[best, 'Fréchet']:.3g} and {known.loc[worst, 'Fréchet']:.3g} "
        f"(real: {known.loc[best, 'floor']:.2g})."
    )

# %%
lean = table["coverage"].astype(float).dropna()
lines.append(f"- Variety is the weaker side: coverage goes from {lean.min():.2f} ({lean.idxmin()}) to {lean.max():.2f}.")
copies = [run.name for run in runs if "memorises" in run.metrics["verdict"]["keys"]]
lines.append(f"- Runs that repeat their training images: {', '.join(copies) or 'none'}.")
if len(known) > 2:
    cost = known["parameters"].astype(float).corr(share, method="spearman")
    lines.append(f"- Rank correlation of parameters and class accuracy, over {len(known)} runs: {cost:+.2f}.")
Markdown("\n".join(lines))

# %% [markdown]
# ## Your turn
#
# Choose a run and a class. Under each drawing stands what the evaluator takes it for. When it disagrees with you, who is right?

# %%
from cgan_utils.widgets import explore

explore()
