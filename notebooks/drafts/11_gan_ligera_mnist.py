# %% [markdown]
# # 11 · A light GAN, and what kernels cost
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** Una GAN pequeña y sin clases: la red dibuja cifras, pero no se le puede pedir cuál. La vemos aprender, miramos siempre el mismo ruido en varias épocas y ponemos a prueba una afirmación conocida: que pocas capas con núcleos de 5×5 son más ligeras, e igual de buenas, que más capas con núcleos de 3×3.
#
# The networks so far were told which digit to draw. This one is not: it gets noise, and nothing else. Unconditional GANs came first (Goodfellow et al. 2014), are smaller, and lack one thing that you will miss at the end of this notebook. On the way we test a claim about kernels: that a few layers of 5×5 are lighter than more layers of 3×3 that see equally far, and as good.

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters
#
# One row of the catalogue, as always. New are the batch of 256 images, sixteen times that of `modelo_1`, and Adam at half its rate: bigger batches make calmer gradients and far fewer steps.

# %%
from dataclasses import asdict

import numpy as np

from cgan_utils.budget import Budget
from cgan_utils.experiments import experiment
from cgan_utils.notebook import facts

budget = Budget()
settings = experiment("gan_ligera_mnist")
facts(budget=budget.name, **asdict(settings))

# %% [markdown]
# ## Data
#
# The digits again, but the labels stay unused. What the network can learn from them is only what digits look like in general.

# %%
from cgan_utils.datasets import load
from cgan_utils.images import grid
from cgan_utils.plots import pictures

data = load("mnist", stand_in=budget.stand_in)
pictures({f"{data.title}: 40 training images, no labels": grid(data.x_train[:40], 10)}, height=2.6);

# %% [markdown]
# ## The networks
#
# No label map, no embedding. The generator opens with a dense layer to 256 small planes of 7×7, normalises them, and needs three transposed convolutions of 5×5. The layers before a normalisation have no bias: the normalisation subtracts the mean, and with it any bias.

# %%
from cgan_utils.networks import build
from cgan_utils.plots import diagram

light = build("gan_ligera", 1, data.shape)
diagram(light[0], f"Generator, 5×5: {light[0].count_params():,} parameters");

# %%
diagram(light[1], f"Discriminator, 5×5: {light[1].count_params():,} parameters");

# %% [markdown]
# ### Its twin of 3×3
#
# Two 3×3 convolutions, one after the other, see the same 5×5 square as a single one of 5×5. So the twin has each of them replaced by a pair; only its drawing layer works on 32 planes instead of 64, to keep the cost in reason.

# %%
twin = build("gan_ligera_3x3", 1, data.shape)
diagram(twin[0], f"Generator, 3×3: {twin[0].count_params():,} parameters");

# %% [markdown]
# ### What an image costs
#
# Parameters are what must be stored; *multiply-adds* are what must be computed. A convolution does (kernel area) × (channels in) × (channels out) of them for each place where the kernel is laid down: each output pixel, or for a transposed convolution each input pixel.

# %%
import pandas as pd


def multiply_adds(model):
    """Millions of multiplications for one image, of the layers that have a kernel."""
    total = 0
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            places = layer.input.shape if "Transpose" in type(layer).__name__ else layer.output.shape
            total += np.prod(layer.kernel.shape) * np.prod(places[1:3] if len(places) == 4 else ())
    return total / 1e6


# %%
pairs = {"5×5, few layers": light, "3×3, twice the layers": twin}
costs = pd.DataFrame(
    {
        "parameters": [sum(network.count_params() for network in pair) for pair in pairs.values()],
        "generator's million multiply-adds": [multiply_adds(pair[0]) for pair in pairs.values()],
        "discriminator's": [multiply_adds(pair[1]) for pair in pairs.values()],
        "layers with a kernel": [
            sum(hasattr(layer, "kernel") for network in pair for layer in network.layers) for pair in pairs.values()
        ],
    },
    index=list(pairs),
)
costs.round(1)

# %% [markdown]
# The 3×3 twin stores fewer numbers: two kernels of 9 weights against one of 25. Whether it also computes less depends on where its layers stand, because a layer at full resolution is laid down 784 times. The third thing, time, is measured: some training steps of each network, taken in turn so that whatever else the machine does hits both.

# %%
import time

from cgan_utils.training import batches, make_gan


def step_timer(name):
    """A function that takes one training step of a network and returns the seconds it took."""
    gan = make_gan(experiment(name), data)
    stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed)

    def step():
        start = time.perf_counter()
        gan.train_on_batch(*next(stream))
        return time.perf_counter() - start

    return step


# %%
timers = [step_timer(name) for name in ("gan_ligera_mnist", "gan_ligera_3x3_mnist")]
for step in timers:
    step()  # the first one compiles
rounds = [[step() for step in timers] for _ in range(budget.choose(smoke=1, demo=10, full=20))]
costs["milliseconds per step of 256 images"] = 1000 * np.median(rounds, axis=0)
costs.T.round(1)

# %% [markdown]
# ## Watch it learn
#
# About a minute of training. One column is one noise vector; no one can say which digit it will become. Look for how long a column keeps changing its mind.

# %%
import tempfile
from pathlib import Path

from cgan_utils.notebook import LiveView
from cgan_utils.training import train

images = budget.choose(smoke=512, demo=25_600, full=None)
epochs = budget.choose(smoke=1, demo=1, full=settings.epochs)
temporary = tempfile.TemporaryDirectory()
folder = budget.choose(smoke=temporary.name, demo=temporary.name, full=None)
steps = epochs * (min(images or len(data.x_train), len(data.x_train)) // settings.batch_size)

# %%
view = LiveView(steps, labels=np.zeros(10, int))
live = train(
    settings,
    folder and Path(folder) / "live",
    data=data,
    epochs=epochs,
    limit_images=images,
    verbose=0,
    extra_callbacks=[view],
)

# %% [markdown]
# ## The shipped run
#
# The same experiment, trained long before, with a picture after every epoch.

# %%
from cgan_utils.results import Run

run = Run("gan_ligera_mnist")
training = run.record["training"]
facts(
    **{name: training[name] for name in ("epochs", "images_seen", "machine", "precision", "seconds_per_epoch")},
    planned_epochs=run.experiment.epochs,
)

# %% [markdown]
# ### The same noise, epoch after epoch
#
# The published material showed epochs 1, 10, 20, 30, 40 and 50; here are those of them that our run has reached. Each square holds the same 36 noise vectors. What to look for: after the first epoch there is ink in the middle, in chequers that are the traces of the strides; ten epochs on there are strokes, and then the strokes join into something one could read. Learning without classes, with few big steps, is slow: compare with the first epochs of `modelo_1` in notebook 05.

# %%
drawn = run.evolution
kept = [epoch for epoch in (1, 10, 20, 30, 40, 50) if epoch in drawn]
last = max(drawn)
shown = [*kept, *([last] if last not in kept else [])]
pictures({f"epoch {epoch}": drawn[epoch] for epoch in shown}, f"{run.title}: 36 fixed noise vectors", height=3.2);

# %%
from cgan_utils.widgets import explore_evolution

explore_evolution(run)

# %% [markdown]
# The run keeps a second generator, whose weights are a running mean of those of the last thousand steps or so. It irons out what the single steps overdo. Look for loose dots, and for strokes that break off.

# %%
from cgan_utils.results import AVERAGED, LAST

both = {"last": LAST, "averaged": AVERAGED}
squares_of = {name: grid(run.generate(0, range(36), file=file), 6) for name, file in both.items()}
pictures(squares_of, f"{run.title}: the same noise; the run draws with {run.draws_with}", height=4.2);

# %% [markdown]
# ### The losses up to those epochs
#
# One panel per epoch of the row above: the loss of every iteration so far. All share their axes, so that you see the curve grow. Compare its steady march with how much the pictures changed: after the start, the losses tell you almost nothing about the drawings.

# %%
import matplotlib.pyplot as plt

from cgan_utils.plots import LOSSES


def plot_losses(axis, run, epoch):
    """The loss of each iteration, both players, from the beginning to the end of `epoch`."""
    part = run.losses[: epoch * run.record["data"]["images"] // run.experiment.batch_size]
    for column, name in zip(part.T, run.loss_names, strict=True):
        label, colour = LOSSES[name]
        axis.plot(column, color=colour, linewidth=0.5, label=label)
    axis.set(title=f"up to epoch {epoch}", xlabel="iteration", ylabel="loss (nats)")
    axis.grid(alpha=0.3)


# %%
size = (3.2 * len(shown), 3)
figure, axes = plt.subplots(1, len(shown), figsize=size, sharex=True, sharey=True, layout="constrained")
for axis, epoch in zip(np.atleast_1d(axes), shown, strict=True):
    plot_losses(axis, run, epoch)
    axis.label_outer()
axis.legend(loc="upper right")
figure.suptitle(f"{run.title}: loss of each iteration");

# %%
from cgan_utils.plots import epoch_curves

epoch_curves(run.history, title=run.title);

# %% [markdown]
# ## 5×5 against 3×3
#
# Both twins have been trained on the same images in the same order. The comparison is made where both have seen equally many: at the last epoch of the shorter run.

# %%
small = Run("gan_ligera_3x3_mnist")
epoch = min(run.record["training"]["epochs"], small.record["training"]["epochs"])
both = {"5×5, few layers": run, "3×3, twice the layers": small}
title = f"After {epoch} epochs ({epoch * len(data.x_train):,} images): the same 36 noise vectors"
pictures({name: which.evolution[epoch] for name, which in both.items()}, title, height=4.2);

# %% [markdown]
# Judging by eye is unfair to the one you like less. A second opinion: the distance from each drawing to the nearest of 10,000 real digits it has never seen, in grey levels per pixel. Two sets of real digits give the floor. A network that draws blurs or debris lands far above it. (A proper measure comes with the notebooks on evaluation.)

# %%
from sklearn.neighbors import NearestNeighbors


def distance_to_real(images):
    """Median over images of the root mean square difference to the nearest test image, in grey levels."""
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute")
    nearest.fit(data.x_test.reshape(len(data.x_test), -1).astype("float32"))
    return float(np.median(nearest.kneighbors(images.reshape(len(images), -1).astype("float32"))[0])) / 28


def squares(picture, side=28):
    """The 36 drawings of an evolution picture."""
    return np.stack([picture[y : y + side, x : x + side] for y in range(0, 170, 29) for x in range(0, 170, 29)])


# %%
costs["grey levels to the nearest real digit"] = [distance_to_real(squares(w.evolution[epoch])) for w in both.values()]
print(f"real training digits are {distance_to_real(data.x_train[:500]):.0f} grey levels from the nearest test digit")
costs.T.round(1)

# %% [markdown]
# ## What to conclude
#
# Each sentence is computed from the shipped records.

# %%
from IPython.display import Markdown

wide, narrow = costs.iloc[0], costs.iloc[1]
seconds, cost = "milliseconds per step of 256 images", "generator's million multiply-adds"
far = "grey levels to the nearest real digit"
Markdown(f"""
- The 3×3 twin has {narrow["parameters"] / wide["parameters"]:.0%} of the parameters, {narrow[cost] / wide[cost]:.0%} of the generator's multiply-adds, and needs {narrow[seconds] / wide[seconds]:.0%} of the time per step.
- So in storage it is the {"lighter" if narrow["parameters"] < wide["parameters"] else "heavier"} one, and in time the {"faster" if narrow[seconds] < wide[seconds] else "slower"} one: *light* means different things for a disk and for a processor.
- After {epoch} epochs its drawings are {narrow[far]:.0f} grey levels from the nearest real digit, those of the 5×5 network {wide[far]:.0f}.
- The claim, fewer layers of 5×5 are lighter and as good, is {"confirmed for time" if narrow[seconds] > wide[seconds] else "refuted for time"} and {"refuted" if narrow["parameters"] < wide["parameters"] else "confirmed"} for storage.
""")

# %% [markdown]
# ## Your turn
#
# There is no class to choose: the dropdown offers seeds. Try to get a 4. You will find one sooner or later, but you cannot ask for it: that is what the condition in a *conditional* GAN is for.

# %%
from cgan_utils.widgets import explore

explore("gan_ligera_mnist")
