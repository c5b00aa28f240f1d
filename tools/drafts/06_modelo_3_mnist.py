# %% [markdown]
# # 06 · modelo_3 on MNIST: does a stronger network overfit?
#
# <!-- colab -->
# <!-- /colab -->
#
# **En breve.** modelo_3 tiene tres veces más parámetros que modelo_1 y normaliza cada capa. ¿Dibuja mejores cifras, o su discriminador se aprende las imágenes de memoria? Lo comparamos con modelo_1: pérdidas, diferencia entre entrenamiento y prueba, y las imágenes. También probamos el *dropout* que el trabajo publicado quiso poner a la entrada y que nunca llegó a actuar.
#
# A discriminator that is right all the time teaches nothing. A discriminator that has learned the training images by heart is right about them for the wrong reason. Both show in curves, if one knows where to look. This notebook puts a larger network into the same game on the same digits, and asks one question: **does modelo_3 overfit MNIST?**

# %% tags=["setup"]
# Filled in by tools/links.py.

# %% [markdown]
# ## Parameters
#
# The published training, as a row of the catalogue. What stands here decides everything below.

# %%
from dataclasses import asdict

import numpy as np

from cgan_utils.budget import Budget
from cgan_utils.experiments import experiment
from cgan_utils.notebook import claims, facts, trained, watch

budget = Budget()
settings = experiment("modelo_3_mnist_v1")
facts(budget=budget.name, **asdict(settings))

# %% [markdown]
# ## What changed against modelo_1
#
# Both networks are rows of one table. Here are the columns in which they differ. The generator starts from twice as many planes, uses 5×5 kernels, and normalises each layer over the batch; the discriminator has four convolutions in place of two.

# %%
from cgan_utils.architectures import architecture
from cgan_utils.tables import differences, sizes

names = ("modelo_1", "modelo_3_28px")
differences({name: asdict(architecture(name)) for name in names})

# %%
sizes({name: name for name in names}, 10, (28, 28, 1)).style.format("{:,}")

# %% [markdown]
# ## Data
#
# The same 60,000 digits as before; notebook 05 shows them. Three of each class are enough to remember what is asked for.

# %%
from cgan_utils.datasets import load
from cgan_utils.plots import class_grid, diagram

data = load("mnist", stand_in=budget.stand_in)
class_grid(data.x_train, data.y_train, data.class_names, columns=3, title=data.title);

# %% [markdown]
# ## Two networks
#
# What to look for: in the generator, that the planes halve in number while they double in side; in the discriminator, that nearly all parameters sit in the last convolution, and that no activation follows it.

# %%
from cgan_utils.networks import build

generator, discriminator = build(settings.architecture, data.classes, data.shape)
diagram(generator, f"Generator: {generator.count_params():,} parameters");

# %%
diagram(discriminator, f"Discriminator: {discriminator.count_params():,} parameters");

# %% [markdown]
# ## Watch it learn
#
# One short training from random weights. Compare with the same figure of notebook 05: batch normalisation gives every layer inputs of the same size from the first step on. Does ink appear sooner?

# %%
live = watch(settings, data, images=budget.choose(smoke=320, demo=10_000, full=None))

# %% [markdown]
# ## A dropout that never was
#
# The published discriminator was meant to see each image through a *dropout* of 0.75: three of four pixels set to 0, a mid grey, and the others made four times as strong. In the published code the model's input was the tensor *behind* that layer, so it never took part; the shipped run below is trained without it, too. What would it have done? First, what the discriminator would see.

# %%
from cgan_utils.backend import keras, precision
from cgan_utils.images import grid
from cgan_utils.layers import to_signed, to_uint8
from cgan_utils.plots import pictures

hide = keras.layers.Dropout(0.75, seed=0)
seen = {"whole": data.x_test[:10], "dropout 0.75": np.asarray(to_uint8(hide(to_signed(data.x_test[:10]), training=True)))}
pictures({name: grid(images, 10) for name, images in seen.items()}, "Ten test images, as the discriminator sees them", 0.8);

# %% [markdown]
# Then a few hundred iterations of each form, from the same random weights. A discriminator that sees a quarter of the pixels is wrong more often: its loss stays higher.

# %%
from cgan_utils.sampling import draw_signed
from cgan_utils.training import batches, make_gan


def try_form(name, iterations):
    gan = make_gan(experiment("modelo_3_mnist_v1", architecture=name), data, precision())
    stream = batches(data.x_train, data.y_train, settings.batch_size, settings.seed)
    gan.fit(stream, steps_per_epoch=iterations, shuffle=False, verbose=0)
    loss, accuracy = float(gan.mean_losses[0].result()), float(gan.scores.result()["accuracy"])
    print(f"{name}: discriminator's loss {loss:.2f}, accuracy {accuracy:.1%}")
    return grid(np.asarray(to_uint8(draw_signed(gan.generator, range(10), range(10)))), 5)


# %%
forms = {"published": "modelo_3_28px", "as it was meant": "modelo_3_28px_input_dropout"}
drawn = {text: try_form(name, budget.choose(smoke=5, demo=300, full=300)) for text, name in forms.items()}
pictures(drawn, "Ten classes, after a few hundred iterations", height=2.4);

# %% [markdown]
# ## The shipped run
#
# The long game; its record was written by the training itself.

# %%
from cgan_utils.results import Run

run, before = Run("modelo_3_mnist_v1"), Run("modelo_1_mnist_v2")
trained(run)

# %% [markdown]
# ### Loss of each iteration
#
# What to look for: how far below 2·ln 2 ≈ 1.39, the loss of a discriminator that guesses, the discriminator's curve stays, and how the generator's answers.

# %%
from cgan_utils.plots import epoch_curves, evolution_strip, iteration_losses

iteration_losses(run.losses, title=f"{run.title}: loss of each iteration");

# %% [markdown]
# ### Losses and scores of each epoch
#
# Batch normalisation behaves differently in training (statistics of the batch) and in the test (running means). A gap between solid and dashed lines can come from that as well as from overfitting; keep it in mind.

# %%
epoch_curves(run.history, title=run.title);

# %% [markdown]
# ### The images, epoch by epoch

# %%
evolution_strip(run);

# %%
from cgan_utils.widgets import explore_evolution

explore_evolution(run)

# %% [markdown]
# ### The last generator, and the averaged one
#
# Same noise, same classes. The title says which of the two the dropdown below draws with.

# %%
from cgan_utils.comparison_plots import last_and_averaged

last_and_averaged(run);

# %% [markdown]
# ## Does it overfit? modelo_1 and modelo_3 side by side
#
# On the right, how much more often the discriminator is right than about test images. *Dashed*: its score while it trained. That compares two things at once, because in training a layer is normalised by the batch at hand, and real and drawn images come in batches of their own: their statistics alone give them away. *Solid*, where it was recorded: images that it trained on, judged exactly as the test images are. Only that difference is overfitting. modelo_1 has no batch normalisation.

# %%
from cgan_utils.comparison_plots import training_curves

training_curves({one.name: one.history for one in (before, run)}, "The same digits, two networks");

# %% [markdown]
# As numbers: means over the last five epochs. *Noise* is the standard deviation, over all epochs, of the loss on test images; *gap* (dashed) and *overfitting* (solid) are in percentage points.

# %%
from cgan_utils.tables import all_runs, trainings

numbers = trainings([before, run])
numbers.round(3)

# %% [markdown]
# The short training above can tell the two apart, too. It saw each image once, so it has nothing to remember; is there a gap all the same?

# %%
accuracies = {"accuracy": "in training", "seen_accuracy": "training images, judged alike", "val_accuracy": "test images"}
live.history[list(accuracies)].rename(columns=accuracies).round(3)

# %% [markdown]
# And the pictures? Each was judged by the evaluator of notebook 17, in the same way.

# %%
all_runs([before, run])[["class accuracy", "of real images", "Fréchet", "floor", "coverage", "verdict"]].round(3)

# %% [markdown]
# ## What to conclude
#
# What was reported of this training, and what our record says. Each line is computed.

# %%
ours, first = numbers.loc[run.name], numbers.loc[before.name]


def beside(name, form):
    return f"{ours[name]:{form}}; modelo_1: {first[name]:{form}}"


claims(
    {
        "its loss comes near 0": (ours["loss"] < 0.3, beside("loss", ".2f")),
        "its accuracy is above 0.9": (ours["accuracy"] > 0.9, beside("accuracy", ".1%")),
        "its loss on test images is noisy": (ours["noise"] > 2 * first["noise"], beside("noise", ".2f")),
        "it overfits": (
            None if np.isnan(ours["overfitting"]) else bool(ours["overfitting"] > 5),
            f"{ours['overfitting']:+.1f} percentage points where both are judged alike; gap {beside('gap', '+.1f')}",
        ),
    }
)

# %% [markdown]
# ## Your turn
#
# Choose a class, and compare with notebook 05: can you tell which of the two networks drew a digit?

# %%
from cgan_utils.widgets import explore

explore("modelo_3_mnist_v1", label=3)
