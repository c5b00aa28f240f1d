# %% [markdown]
# # 08 · modelo_4 on CIFAR-100: one more layer, and another way to draw the pixels
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** modelo_4 añade al generador de modelo_3 una capa más y sustituye la última convolución transpuesta por una convolución de 8×8. ¿Se nota? Dibujamos las mismas clases con ambas redes, comparamos sus curvas y medimos la diferencia con el mismo clasificador, para no depender de lo que uno quiere ver.
#
# Two changes at once: a third transposed convolution, which works at full size, and a last layer that is an ordinary convolution of 8×8 pixels. The discriminator stays as it was. The question: **did that help?** To ask it fairly, both networks get the same data, the same optimizer, and are judged in the same way.

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters

# %%
from dataclasses import asdict

import numpy as np

from cgan_utils.budget import Budget
from cgan_utils.experiments import SHOWN, experiment
from cgan_utils.notebook import claims, facts, trained, watch

budget = Budget()
settings = experiment("modelo_4_cifar100_v1")
facts(budget=budget.name, **asdict(settings))

# %% [markdown]
# ## What changed against modelo_3
#
# Three columns of the table. The new layer adds 5 % to the parameters and two thirds to the arithmetic, because it works on 32×32 places.

# %%
from cgan_utils.architectures import architecture
from cgan_utils.tables import differences, sizes

pair = ("modelo_3", "modelo_4")
differences({name: asdict(architecture(name)) for name in pair})

# %%
sizes({name: name for name in pair}, 100, (32, 32, 3)).style.format("{:,}")

# %% [markdown]
# ## Data and networks
#
# The photographs are those of notebook 07. Of the generator, look at the end: the last box was a transposed convolution of 5×5.

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
# ### Why the last layer matters
#
# A transposed convolution of stride 2 lays its kernel on every second pixel: some pixels get more contributions than others, which is seen as a checkerboard. A convolution after it mixes neighbours and can take the pattern away. How often is each pixel written, by a kernel of ones?

# %%
from cgan_utils.backend import keras
from cgan_utils.plots import pictures


def touched(kernel, stride):
    layer = keras.layers.Conv2DTranspose(1, kernel, strides=stride, padding="same", kernel_initializer="ones")
    times = keras.ops.convert_to_numpy(layer(np.ones((1, 8, 8, 1), "float32")))[0]
    return (255 * times / times.max()).astype("uint8")


layers = {"kernel 5, stride 2": (5, 2), "kernel 4, stride 2": (4, 2), "kernel 5, stride 1": (5, 1)}
pictures({text: touched(*sizes) for text, sizes in layers.items()}, "How often each pixel is written", height=2.2);

# %% [markdown]
# ## Watch it learn

# %%
columns = [names.index(name) for name in SHOWN[:10] if name in names]
live = watch(settings, data, images=budget.choose(smoke=320, demo=8_000, full=None), labels=columns)

# %% [markdown]
# ## The shipped run

# %%
from cgan_utils.results import Run

run, before = Run("modelo_4_cifar100_v1"), Run("modelo_3_cifar100_v1")
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

count = budget.choose(smoke=4, demo=30, full=100)
every = np.repeat(np.arange(data.classes), count)
drawings = {one.name: one.generate(every, np.tile(np.arange(count), data.classes)) for one in (before, run)}
four = {name: grid(drawings[run.name][every == label][:4], 2) for label, name in enumerate(names)}
sheet(four, f"{run.title}: four drawings of each class");

# %% [markdown]
# ## Side by side
#
# The same classes from the same noise vectors. The two networks do not mean the same picture by the same noise; compare rows, not single images. Look for the checkerboard, for edges, and for the variety within a row.

# %%
from cgan_utils.comparison_plots import strips, training_curves

blocks = {
    one.name: {name.replace("_", " "): one.generate(name, range(8)) for name in SHOWN if name in names}
    for one in (before, run)
}
strips(blocks);

# %% [markdown]
# ### At the same age
#
# Were they trained equally long? If not, this is the fair look: what each drew after the same number of epochs, from pictures that the trainings kept on their way.

# %%
from cgan_utils.comparison_plots import at_the_same_age

at_the_same_age([before, run]);

# %% [markdown]
# How the two games went:

# %%
training_curves({one.name: one.history for one in (before, run)}, "The same photographs, two generators");

# %%
from cgan_utils.tables import all_runs, trainings

trainings([before, run]).round(3)

# %% [markdown]
# And what the evaluator says of the pictures. Fréchet distance: less is better.

# %%
table = all_runs([before, run])
table[["epochs", "class accuracy", "of real images", "Fréchet", "floor", "coverage", "diversity", "verdict"]].round(3)

# %% [markdown]
# The likeness of the classes' mean images (notebook 07), a point per class. Above the line modelo_4 is better.

# %%
import matplotlib.pyplot as plt

from cgan_utils.comparison import class_means, resemblance

real = class_means(data.x_train, data.y_train)
alike = {name: resemblance(class_means(images, every), real) for name, images in drawings.items()}
figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
axes.scatter(*alike.values(), s=14)
axes.plot([-0.5, 1], [-0.5, 1], color="gray", linewidth=0.8)
axes.set(title="Likeness of mean images, a point per class", xlabel=before.name, ylabel=run.name)
axes.grid(alpha=0.3)

# %% [markdown]
# ## What to conclude
#
# Reported: modelo_4 looks better than modelo_3, still mostly unrecognisable. A difference counts if it is larger than the spread of three repetitions of the measurement.

# %%
def difference(name):
    old, new = (one.metrics["drawn"][name] for one in (before, run))
    spread = max(np.ptp(old["values"]), np.ptp(new["values"]))
    change = new["mean"] - old["mean"]
    said = f"{old['mean']:.3g} → {new['mean']:.3g} (spread of the measurement {spread:.1g})"
    return (None if abs(change) <= spread else bool((change < 0) == (name == "frechet"))), said


better = np.mean(alike[run.name] > alike[before.name])
seen = run.metrics["drawn"]["class_accuracy"]["mean"]

# %%
claims(
    {
        "its drawings are nearer to the photographs": difference("frechet"),
        "its classes are recognised more often": difference("class_accuracy"),
        "its classes have more of their colour and shape": (
            None if 0.4 < better < 0.6 else bool(better > 0.5),
            f"in {better:.0%} of the classes the mean image is more alike",
        ),
        "most drawings can't be recognised": (seen < 0.5, f"the evaluator recognises {seen:.1%}"),
    }
)

# %% [markdown]
# ## Your turn

# %%
from cgan_utils.widgets import explore

explore("modelo_4_cifar100_v1", label=82)
