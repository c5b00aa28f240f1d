# %% [markdown]
# # 07 · modelo_3 on CIFAR-100: a hundred classes in colour
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** La misma red que escribió cifras intenta ahora cien clases de fotografías de 32×32 píxeles. Nadie reconocerá un cangrejo. Pero ¿aparecen el amarillo del girasol, el rojo de la manzana, el cielo sobre la montaña? Lo medimos clase por clase: el color y la forma media de lo dibujado frente a lo real, y lo que ve un clasificador entrenado con las fotos. Al final puedes buscar una clase por su nombre y dibujarla.
#
# CIFAR-100 has 500 training images of each of 100 classes; MNIST has 6,000 of each digit. The images are photographs: other colours, other places, other backgrounds each time. What can a network of four million parameters learn from that? The question of this notebook: **which classes get a colour or a shape of their own, and which get none?**

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters
#
# The published training, as a row of the catalogue.

# %%
from dataclasses import asdict

import numpy as np
import pandas as pd

from cgan_utils.budget import Budget
from cgan_utils.experiments import SHOWN, experiment
from cgan_utils.notebook import claims, facts, trained, watch

budget = Budget()
settings = experiment("modelo_3_cifar100_v1")
facts(budget=budget.name, **asdict(settings))

# %% [markdown]
# ## Data
#
# 50,000 photographs of 32×32 pixels in colour; here are four of each class. Look for classes that you would recognise from their colour alone (sea, sunflower, plain), and for others that have nothing in common but a name (bed, lamp, table).

# %%
from cgan_utils.datasets import load
from cgan_utils.images import grid
from cgan_utils.plots import diagram, sheet

data = load("cifar100", stand_in=budget.stand_in)
names = data.class_names
four = {name: grid(data.x_train[data.y_train == label][:4], 2) for label, name in enumerate(names)}
sheet(four, f"{data.title}: four training images of each class");

# %% [markdown]
# ## Two networks
#
# Nearly those of notebook 06. The images are 32 pixels wide, so all four convolutions of the discriminator halve the side, down to 2×2; and there are three channels to draw.

# %%
from cgan_utils.networks import build

generator, discriminator = build(settings.architecture, data.classes, data.shape)
diagram(generator, f"Generator: {generator.count_params():,} parameters");

# %%
diagram(discriminator, f"Discriminator: {discriminator.count_params():,} parameters");

# %% [markdown]
# The class reaches the generator as one plane of 8×8 numbers beside 256 planes of noise: 100 classes have to share 64 numbers that a dense layer makes from a vector of 50.
#
# ## Watch it learn
#
# A short training from random weights, ten classes in the columns. After two minutes there are blobs of colour; do the columns differ yet?

# %%
columns = [names.index(name) for name in SHOWN[:10] if name in names]
live = watch(settings, data, images=budget.choose(smoke=320, demo=10_000, full=None), labels=columns)

# %% [markdown]
# ## The shipped run
#
# The long training; its record was written by the training itself.

# %%
from cgan_utils.results import Run

run = Run("modelo_3_cifar100_v1")
trained(run)

# %% [markdown]
# ### Loss of each iteration
#
# What to look for: which of the two wins, and whether the distance between them grows.

# %%
from cgan_utils.plots import epoch_curves, evolution_strip, iteration_losses

iteration_losses(run.losses, title=f"{run.title}: loss of each iteration");

# %% [markdown]
# ### Losses and scores of each epoch

# %%
epoch_curves(run.history, title=run.title);

# %% [markdown]
# ### The images, epoch by epoch
#
# Twenty classes, one per row. First come colours, then light and dark in the right places; edges hardly.

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
#
# Four drawings of each. Compare with the photographs above, class by class.

# %%
count = budget.choose(smoke=4, demo=30, full=100)
every = np.repeat(np.arange(data.classes), count)
drawings = run.generate(every, np.tile(np.arange(count), data.classes))
four = {name: grid(drawings[every == label][:4], 2) for label, name in enumerate(names)}
sheet(four, f"{run.title}: four drawings of each class");

# %% [markdown]
# ## Which classes have a colour, or a shape?
#
# One drawing may be good by chance. So we take the *mean image* of each class: what all its pictures share. A sunflower's is a yellow disk, that of the sea a bright band over a dark one. On the left those of the photographs, on the right those of the drawings.

# %%
from cgan_utils.comparison import class_means, resemblance
from cgan_utils.comparison_plots import strips

real, own = class_means(data.x_train, data.y_train), class_means(drawings, every)
chosen = [names.index(name) for name in SHOWN if name in names]
blocks = {
    text: {names[i].replace("_", " "): means[i : i + 1].astype("uint8") for i in chosen}
    for text, means in (("real", real), ("drawn", own))
}
strips(blocks);

# %% [markdown]
# As a number: the correlation of the two, after taking off what all classes share. 1 is a perfect likeness, 0 none. Test photographs against training photographs show what is possible with so few of them; drawings of *another* class show what chance gives.

# %%
alike = pd.DataFrame(
    {
        "drawn": resemblance(own, real),
        "real, unseen": resemblance(class_means(data.x_test, data.y_test), real),
        "another class": resemblance(np.roll(own, 1, axis=0), real),
    },
    index=names,
)
alike.describe().loc[["mean", "min", "50%", "max"]].round(2)

# %% [markdown]
# The evaluator of notebook 17 looks at single drawings instead: in how many does it see the class that was asked for? By chance, it would be 1 %. Both numbers for the classes with the best and the worst likeness:

# %%
from cgan_utils.tables import by_class

seen = by_class([run])[run.name] if run.metrics else pd.Series(np.nan, names)
table = alike.assign(recognised=seen).sort_values("drawn", ascending=False)
pd.concat([table.head(12), table.tail(12)]).round(2)

# %%
best, worst = table.index[:10], table.index[-10:]
rows = {name.replace("_", " "): run.generate(name, range(12)) for name in (*best, *worst)}
strips({f"{run.title}: the ten most and the ten least alike": rows});

# %% [markdown]
# ## What to conclude
#
# Reported of this training were yellow sunflowers, red apples, round clocks, and mountains as white triangles under a blue sky. A class counts as confirmed if the likeness of its mean image is above 0.5, as refuted below 0.2.

# %%
def judged(name):
    value = table.loc[name, "drawn"]
    said = f"likeness {value:.2f} (real photographs: {table.loc[name, 'real, unseen']:.2f}), recognised {table.loc[name, 'recognised']:.0%}"
    return (True if value > 0.5 else False if value < 0.2 else None), said


reported = {"sunflower": "sunflowers are yellow", "apple": "apples are red", "clock": "clocks are round"}
reported |= {"mountain": "mountains stand under a blue sky"}
claims({text: judged(name) for name, text in reported.items() if name in names})

# %%
from IPython.display import Markdown

some = (table["drawn"] > 0.5).sum()
Markdown(f"""
- {some} of {len(table)} classes have a likeness above 0.5, {(table["drawn"] < 0.2).sum()} one below 0.2.
- The evaluator recognises {table["recognised"].mean():.1%} of the drawings; chance would be {1 / len(table):.1%}.
- A likeness of means is a matter of colour and layout. That a single drawing can be recognised is much more.
""")

# %% [markdown]
# ## Your turn
#
# Type a part of a name into *Find*, *flower* or *tree*, and choose a class. Which drawings would you recognise, if you did not know what was asked?

# %%
from cgan_utils.widgets import explore

explore("modelo_3_cifar100_v1", label=82)
