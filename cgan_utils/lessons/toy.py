"""A GAN on points of the plane, trained in seconds, and the value of a game on a line, whose best player is known."""

import functools
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
from scipy.special import xlogy

from ..backend import keras, no_gradients
from ..errors import CganError, unknown
from ..models.gan import ConditionalGAN
from ..models.losses import adversarial_loss
from ..plain_figures import subplots
from ..views.widgets import PictureView, figure_png
from .exploration_figures import ACCENT, TRAIN

ops = keras.ops

MODES, RADIUS, SPREAD = 8, 2.0, 0.15  # Gaussians on the ring, its radius, their standard deviation
CENTRES = RADIUS * np.exp(2j * np.pi * np.arange(MODES) / MODES).view(float).reshape(MODES, 2)  # x and y of each
EDGE, CELLS = 3.0, 61  # the map of verdicts: CELLS × CELLS points of the square from -EDGE to EDGE


@dataclass(frozen=True)
class Game:
    """Settings of one training. conditional: both players are told which Gaussian is meant."""

    title: str
    generator_rate: float = 1e-3  # of Adam
    discriminator_rate: float = 1e-3
    beta_1: float = 0.5  # Adam's momentum
    conditional: bool = False
    update: str = "alternating"
    latent: int = 2
    width: int = 128  # units of each of the two hidden layers
    batch: int = 256


GAMES = {
    "equilibrium": Game("Equilibrium"),
    "collapse": Game("Mode collapse: the generator moves ten times as fast", 5e-3, 5e-4, beta_1=0.9),
    "conditional": Game("Conditional: both players know which Gaussian is meant", conditional=True),
}


def ring(count, seed=0):
    """Real points [count, 2] and the Gaussian each comes from, an integer [count]."""
    random = np.random.default_rng(seed)
    labels = random.integers(MODES, size=count)
    return (CENTRES[labels] + SPREAD * random.normal(size=(count, 2))).astype("float32"), labels.astype("int32")


def network(inputs, outputs, width, conditional, seed):
    """[N, inputs], and labels [N] if conditional → [N, outputs]. Two hidden layers with relu; a seed is a start."""
    point, label = keras.Input((inputs,)), keras.Input((), dtype="int32")
    x = ops.concatenate([point, ops.one_hot(label, MODES)], axis=1) if conditional else point
    for i, (units, activation) in enumerate(((width, "relu"), (width, "relu"), (outputs, None))):
        start = keras.initializers.HeNormal(seed=seed + i)
        x = keras.layers.Dense(units, activation, kernel_initializer=start)(x)
    return keras.Model([point, label] if conditional else [point], x)


class ToyGAN(ConditionalGAN):
    """The game and the step of models/gan.py, on points: batches are (points [N, 2], integer labels [N])."""

    def __init__(self, game, seed=0):
        generator = network(game.latent, 2, game.width, game.conditional, 10 * seed)
        discriminator = network(2, 1, game.width, game.conditional, 10 * seed + 5)
        super().__init__(generator, discriminator, update=game.update, seed=seed)
        self.game = game
        rates = (game.discriminator_rate, game.generator_rate)
        self.compile(adversarial_loss(), *(keras.optimizers.Adam(rate, beta_1=game.beta_1) for rate in rates))

    def scaled(self, images):
        """Points are used as they are."""
        return images


@dataclass(frozen=True)
class History:
    """What a game looked like at F moments; entry 0 is before training, where losses and scores are not known."""

    game: Game
    steps: np.ndarray  # [F] training steps done
    points: np.ndarray  # [F, N, 2] generated, from the same noise and labels each time
    verdicts: np.ndarray  # [F, CELLS, CELLS] D of each place, row by row from below; of class 0 if conditional
    losses: np.ndarray  # [F, 2] discriminator and generator, mean since the moment before
    accuracy: np.ndarray  # [F] of the discriminator, likewise


@functools.cache
def play(name, steps=3000, moments=30, shown=400, seed=0):
    """Train a game of `GAMES` for `steps` steps, looking at it `moments` times → its `History`, kept for next time."""
    if name not in GAMES:
        raise CganError(unknown("game", name, GAMES))
    gan, every = ToyGAN(GAMES[name], seed), max(1, steps // moments)
    noise = np.random.default_rng(seed).normal(size=(shown, gan.game.latent)).astype("float32")
    labels = np.arange(shown, dtype="int32") % MODES
    looks, logs = [_look(gan, noise, labels)], [(np.nan, np.nan, np.nan)]
    for moment in range(moments):
        real = ring(every * gan.game.batch, seed=(seed, moment))
        # Keras takes a generator, and no other iterator.
        batches = (batch for batch in zip(*(np.split(part, every) for part in real), strict=True))
        record = gan.fit(batches, steps_per_epoch=every, shuffle=False, verbose=0).history
        looks.append(_look(gan, noise, labels))
        logs.append([record[key][0] for key in ("d_loss", "g_loss", "accuracy")])
    points, verdicts = map(np.stack, zip(*looks, strict=True))
    logs = np.array(logs)
    return History(gan.game, every * np.arange(moments + 1), points, verdicts, logs[:, :2], logs[:, 2])


def _look(gan, noise, labels):
    """The generated points and the map of verdicts, as they are now."""
    axis = np.linspace(-EDGE, EDGE, CELLS, dtype="float32")
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    with no_gradients():
        points = ops.convert_to_numpy(gan.generate(noise, labels))
        logits = gan.judge(places, np.zeros(len(places), "int32"))
        return points, ops.convert_to_numpy(ops.sigmoid(logits)).reshape(CELLS, CELLS)


def coverage(points, enough=0.02):
    """(modes covered, share of good points). A point is good within three standard deviations of a centre.

    A Gaussian is covered if at least the share `enough` of all points are good ones near it.
    """
    distance = np.linalg.norm(points[:, None] - CENTRES, axis=2)
    good = distance.min(axis=1) < 3 * SPREAD
    share = np.bincount(distance.argmin(axis=1)[good], minlength=MODES) / len(points)
    return int((share >= enough).sum()), float(good.mean())


def plot_points(axes, history, moment, title=""):
    """Real points (grey), generated ones (crosses) and what the discriminator makes of each place (background)."""
    extent = (-EDGE, EDGE, -EDGE, EDGE)
    picture = axes.imshow(history.verdicts[moment], "PuOr", vmin=0, vmax=1, origin="lower", extent=extent, alpha=0.6)
    axes.scatter(*ring(400)[0].T, s=6, color="#555555", linewidths=0, label="real")
    axes.scatter(*history.points[moment].T, s=8, color="black", marker="x", linewidths=0.8, label="generated")
    axes.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), title=title, xticks=(-2, 0, 2), yticks=(-2, 0, 2))
    return picture


def plot_losses(axes, history, upto=None, title=""):
    """Both losses, pale after the first `upto` moments; dotted: against a discriminator that can only guess."""
    for column, (player, colour) in enumerate((("discriminator", TRAIN), ("generator", ACCENT))):
        losses = history.losses[:, column]
        axes.plot(history.steps, losses, color=colour, alpha=0.25)
        axes.plot(history.steps[:upto], losses[:upto], color=colour, label=player)
        axes.axhline((2 - column) * np.log(2), linestyle=":", color=colour)
    axes.set(title=title, xlabel="training step", ylabel="loss (nats)")


def filmstrip(history, moments):
    """A game at several moments, side by side: the still form of the slider."""
    figure, panels = subplots(1, len(moments), figsize=(2.7 * len(moments) + 0.7, 3.2), layout="constrained")
    for axes, moment in zip(panels, moments, strict=True):
        modes, good = coverage(history.points[moment])
        title = f"step {history.steps[moment]:,}\n{modes} of {MODES} covered, {good:.0%} good"
        picture = plot_points(axes, history, moment, title)
    panels[0].legend(loc="lower left", fontsize=7)
    figure.colorbar(picture, ax=panels, label="D, the probability of 'real'", shrink=0.8)
    figure.suptitle(history.game.title)
    return figure


def game_curves(histories):
    """Losses, accuracy and modes covered of several games; dotted lines: a discriminator that can only guess."""
    size = (11, 2.7 * len(histories))
    figure, panels = subplots(len(histories), 2, figsize=size, layout="constrained", squeeze=False)
    for (left, right), history in zip(panels, histories, strict=True):
        plot_losses(left, history, title=history.game.title)
        right.plot(history.steps, history.accuracy, color=TRAIN, label="discriminator's accuracy")
        right.axhline(0.5, linestyle=":", color=TRAIN)
        covered = [coverage(points)[0] / MODES for points in history.points]
        right.plot(history.steps, covered, color="black", linestyle="--", label="share of the Gaussians covered")
        right.set(ylim=(-0.03, 1.05), xlabel="training step", ylabel="share")
    for axes in panels.flat:
        axes.legend(fontsize=8)
    return figure


def explore_games(*histories):
    """Choose a game and go through its history: the points and verdicts, and the losses up to then."""

    def render(game, moment):
        history = histories[game]
        figure, (left, right) = subplots(1, 2, figsize=(9, 3.9), layout="constrained", width_ratios=(5, 4))
        modes, good = coverage(history.points[moment])
        title = f"step {history.steps[moment]:,}: {modes} of {MODES} Gaussians, {good:.0%} good points"
        picture = plot_points(left, history, moment, title)
        left.legend(loc="lower left", fontsize=8)
        figure.colorbar(picture, ax=left, label="D" + (" for class 0" if history.game.conditional else ""))
        plot_losses(right, history, moment + 1, "losses (dotted: D only guesses)")
        right.legend(fontsize=8)
        return figure_png(figure, dpi=80)

    names = [(history.game.title, i) for i, history in enumerate(histories)]
    last = len(histories[0].steps) - 1
    game = widgets.Dropdown(options=names, description="Game", layout=widgets.Layout(width="420px"))
    moment = widgets.IntSlider(value=last, min=0, max=last, description="Moment")
    return PictureView(render, game=game, moment=moment)


LINE = np.linspace(-8, 8, 1601)  # places x


def normal(mean, spread):
    """Density of a normal distribution at the places of `LINE`."""
    return np.exp(-0.5 * ((LINE - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))


def best_discriminator(p_data, p_model):
    """D*(x) = p_data / (p_data + p_model): the probability that x is real if both kinds are equally frequent."""
    return p_data / (p_data + p_model)


def value(p_data, p_model, d):
    """(E log D over real x, E log(1 - D) over generated x), in nats; their sum is the value V(D, G)."""
    width, tiny = LINE[1] - LINE[0], np.finfo(float).eps  # D may round to 1 where the generator has next to nothing
    return width * xlogy(p_data, d).sum(), width * xlogy(p_model, np.maximum(1 - d, tiny)).sum()


def explore_value():
    """Move the generator's density; see the best discriminator's answer and the value of the game."""
    p_data = normal(0, 1)

    def best_value(p_model):
        return sum(value(p_data, p_model, best_discriminator(p_data, p_model)))

    def render(mean, spread):
        p_model, places = normal(mean, spread), np.linspace(-4, 4, 81)
        figure, (left, right) = subplots(1, 2, figsize=(9.4, 3.5), layout="constrained")
        left.fill_between(LINE, p_data, color="#bbbbbb", label="density of the data")
        left.plot(LINE, p_model, color=ACCENT, label="density of the generator")
        left.plot(LINE, best_discriminator(p_data, p_model), color=TRAIN, label="D*(x)")
        left.axhline(0.5, linestyle=":", color=TRAIN)
        left.set(title="Best discriminator", xlabel="x", ylabel="density, or probability", ylim=(0, 1.35), xlim=(-6, 6))
        left.legend(loc="upper left", fontsize=8, ncols=2)
        right.plot(places, [best_value(normal(place, spread)) for place in places], color="black")
        right.plot(mean, best_value(p_model), "o", color=ACCENT, markersize=9)
        right.axhline(-2 * np.log(2), linestyle=":", color="black", label="-2 ln 2")
        right.legend(loc="lower left", fontsize=8)
        title = f"V(D*, G) = {best_value(p_model):.3f} nats"
        right.set(title=title, xlabel="mean of the generator's density", ylabel="value (nats)", ylim=(-1.5, 0.05))
        return figure_png(figure, dpi=80)

    mean = widgets.SelectionSlider(
        options=[(f"{m:+.1f}", m) for m in np.linspace(-4, 4, 17).tolist()], value=2.0, description="Mean"
    )
    spread = widgets.SelectionSlider(options=[(f"{s:g}", s) for s in (0.5, 1.0, 2.0)], value=1.0, description="Spread")
    return PictureView(render, mean=mean, spread=spread)
