"""The explorer: choose a run, a class and a seed; the generator draws. And a slider over a run's evolution.

A run that knows no classes gets a dropdown of seeds in their place; one that knows very many gets a search. Under each
drawing stands what the evaluator of the data set takes it for, and how sure it is of that.

Pictures are `widgets.Image` values, set from callbacks in the main thread: `Output` and matplotlib inside widgets
appear twice, or not at all, in Colab and VS Code. Each view also emits one plain PNG, for places without widgets.
"""

import html
import random
from numbers import Integral
from pathlib import Path

import ipywidgets as widgets
from IPython.display import display

from ..data.image_dataset import class_index
from ..data.known import CIFAR100_SUPERCLASSES
from ..errors import CganError
from ..images import enlarge, folded, grid, labelled, to_png
from ..paths import by_name, file_names, plain, shipped_folder, write_beside
from ..results.evaluator import find_evaluator
from ..results.run import NOT_SHIPPED, Run, list_runs
from .widgets import show

LARGEST_SEED, MOST = 999_999, 64  # MOST: images of a picture
OFFERED_SEEDS = 100  # in the dropdown of a run without classes
MANY = 20  # classes; with more of them there is a search
TARGET = 720  # pixels across, at most, of the picture
AS_ASKED, OTHER = "#404040", "#b35900"  # colours of what the evaluator sees
_LABEL = {"description_width": "60px"}


def _answered(act):
    """A callback that says in the view what went wrong: what it raises is shown nowhere, or far away."""

    def answered(self, *change):
        try:
            act(self, *change)
        except CganError as error:
            self._refuse(error)

    return answered


class Explorer:
    """What `explore` shows. Its widgets are attributes, so that a notebook, or a test, can set their values."""

    def __init__(self, run=None, label=0, seed=0, count=10):
        runs = {name: path for name, path in list_runs().items() if _draws_from_noise(path)}
        if not isinstance(seed, Integral) or not 0 <= seed <= LARGEST_SEED:
            raise CganError(f"There is no seed {seed} here; use whole numbers from 0 to {LARGEST_SEED:,}.")
        if not isinstance(count, Integral) or not 1 <= count <= MOST:
            raise CganError(f"{count} images can't be shown; give as count a whole number from 1 to {MOST}.")
        if isinstance(run, Run):
            run = next((name for name, path in runs.items() if path == run.path), str(run.path))
        if run is not None and not isinstance(run, str):
            run = str(Run(run).path)
        if run is not None and run not in runs:
            runs = {str(run): Run(run).path, **runs}
        if not runs:
            elsewhere = "" if shipped_folder().is_dir() else NOT_SHIPPED
            raise CganError(f"No trained run is at hand; `cgan train modelo_1_mnist_v2` makes one.{elsewhere}")
        self._opened = {}
        width = widgets.Layout(width="340px", max_width="100%")
        first = str(run or next(iter(runs)))
        self.run = widgets.Dropdown(options=list(runs), value=first, description="Run", style=_LABEL, layout=width)
        self.label = widgets.Dropdown(description="Class", style=_LABEL, layout=width)
        self.find = widgets.Text(description="Find", placeholder="part of a name or group", style=_LABEL)
        self.find.layout = widgets.Layout(width="340px", max_width="100%")  # one of its own: it comes and goes
        self.seed = widgets.BoundedIntText(
            value=seed, min=0, max=LARGEST_SEED, description="Seed", style=_LABEL, layout=widgets.Layout(width="180px")
        )
        self.count = widgets.IntSlider(value=count, min=1, max=MOST, description="Images", style=_LABEL, layout=width)
        self.new = widgets.Button(description="New", tooltip="Draw from another seed", button_style="primary")
        self.save = widgets.Button(description="Save PNG", tooltip="Write the picture to a file")
        self.judge = widgets.Checkbox(
            value=True, description="What the evaluator sees", indent=False, layout=widgets.Layout(width="200px")
        )
        self.image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start"))
        self.caption, self.message = widgets.HTML(), widgets.HTML()
        flow = widgets.Layout(flex_flow="row wrap")
        controls = [
            widgets.HBox([self.run, self.find, self.label], layout=flow),
            widgets.HBox([self.count, self.seed, self.new, self.save, self.judge], layout=flow),
        ]
        self.view = widgets.VBox([*controls, self.caption, self.image, self.message])
        self._asked = self._name_of(label)  # the class, which another run may know by another number
        self._listen()
        self._change_run()

    def _listen(self):
        self.run.observe(lambda change: self._change_run(), "value")
        self.find.observe(self._search, "value")
        self.label.observe(self._choose, "value")
        for control in (self.seed, self.count, self.judge):
            control.observe(lambda change: self.draw(), "value")
        self.new.on_click(self._new_seed)
        self.save.on_click(self._save)

    def _name_of(self, label):
        """The name of a class that may be given by number; raises CganError for one that the first run lacks."""
        try:
            run = self._current()
        except CganError:
            return None  # the run is damaged, and choosing it says so
        return run.class_names[class_index(label, run.class_names)] if run.conditional else None

    @_answered
    def _change_run(self):
        """Offer the run's classes, keeping the chosen one if the run knows it, and draw."""
        run = self._current()
        self.judge.layout.display = None if _evaluator_of(run) else "none"
        options = _options(run)
        self.label.description = "Class" if run.conditional else "Seed"
        self.find.layout.display = None if len(run.class_names) > MANY else "none"
        self._quietly(self.find, value="")
        label = run.class_names.index(self._asked) if self._asked in run.class_names else options[0][1]
        if tuple(options) != tuple(self.label.options):
            self._quietly(self.label, options=options)
        self._quietly(self.label, value=label)
        self.draw()

    @_answered
    def _search(self, change):
        """Leave in the dropdown the classes that have the text in their name or group, and choose the first."""
        text = plain(self.find.value.strip())
        found = [option for option in _options(self._current()) if text in plain(option[0])]
        if not found:
            self.message.value = f"No class or group has {html.escape(repr(text))} in its name."
            return
        kept = self.label.value if self.label.value in [index for _, index in found] else found[0][1]
        self._quietly(self.label, options=found, value=kept)
        self.draw()

    @_answered
    def draw(self):
        """Draw `count` images of the class from seeds seed, seed + 1, …"""
        seeds = range(self.seed.value, self.seed.value + self.count.value)
        run = self._current()
        if run.conditional:
            self._asked = run.class_names[self.label.value]
        else:
            self._quietly(self.label, value=seeds[0] if seeds[0] < OFFERED_SEEDS else None)
        images = run.draw(self.label.value if run.conditional else 0, seeds)
        columns = min(len(images), 8 if len(images) > 10 else 5)
        scale = max(1, min(TARGET // (columns * (images.shape[2] + 1)), 8))
        texts = self._seen(run, images) if self.judge.value else None
        if texts:
            picture = labelled(images, texts, columns, scale)
        else:
            picture = enlarge(grid(images, columns, background=255), scale)
        self.image.width, self.image.height = str(picture.shape[1]), str(picture.shape[0])
        self.image.value = to_png(picture)
        last = f" to {seeds[-1]}" if len(seeds) > 1 else ""
        chosen = f"class <b>{html.escape(run.class_names[self.label.value])}</b>, " if run.conditional else ""
        self.caption.value = f"<b>{html.escape(self.run.value)}</b>, {chosen}seed {seeds[0]}{last}"
        self.message.value, self.save.disabled = "", False

    def _seen(self, run, images):
        """(text, colour) for each image, the likeliest class and its probability; None without an evaluator."""
        judge = _evaluator_of(run)
        if not judge:
            return None
        try:
            chances = judge.look(images)[1]
        except Exception:  # whatever ails it, the picture is drawn, without its answers
            return None
        best = chances.argmax(axis=1)
        asked = self.label.value if run.conditional else best
        colours = [AS_ASKED if fits else OTHER for fits in best == asked]
        likeliest = zip(best, chances, strict=True)
        texts = [f"{judge.class_names[i].replace('_', ' ')}\n{row[i]:.0%}" for i, row in likeliest]
        return list(zip(texts, colours, strict=True))

    def _current(self):
        if self.run.value not in self._opened:
            self._opened[self.run.value] = _opened(Run(self.run.value))
        return self._opened[self.run.value]

    def _quietly(self, control, **traits):
        """Change the dropdown of classes, or the search, without drawing for each intermediate value."""
        act = self._choose if control is self.label else self._search
        control.unobserve(act, "value")  # not `unobserve_all`: a dropdown listens to its own value
        for trait, value in traits.items():
            setattr(control, trait, value)
        control.observe(act, "value")

    @_answered
    def _choose(self, change):
        if self._current().conditional:
            self.draw()
        else:
            self.seed.value = self.label.value  # which draws

    def _refuse(self, error):
        self.image.value, self.save.disabled = b"", True
        self.caption.value = ""
        self.message.value = f"<span style='color:#b00020'>{html.escape(str(error))}</span>"

    def _new_seed(self, button):
        self.seed.value = random.randrange(LARGEST_SEED)

    @_answered
    def _save(self, button):
        if not self.image.value:
            return  # the message says why
        run = self._current()
        name = file_names(run.class_names)[self.label.value] if run.conditional else "image"
        first, last = self.seed.value, self.seed.value + self.count.value - 1
        seeds = f"seed{first}-{last}" if last > first else f"seed{first}"
        path = Path(f"{file_names([run.name])[0]}_{name}_{seeds}.png")
        try:
            path = write_beside(path, bytes(self.image.value))
        except OSError as error:
            reason = html.escape(error.strerror or str(error))
            self.message.value = f"{path.resolve()} can't be written ({reason}); copy the picture with a right click."
            return
        self.message.value = f"Saved as <code>{html.escape(str(path.resolve()))}</code>"

    def _ipython_display_(self):
        show(self.view, self.image)


_runs = {}  # by their folder and what run.json says: explorers share the networks, of the newest version of a run


def _opened(run):
    """The run as an earlier explorer opened it, if its record is the same: a cell may be run again and again."""
    earlier = _runs.get(run.path.absolute())
    if earlier is None or earlier.record != run.record:
        _runs[run.path.absolute()] = earlier = run
    return earlier


def _evaluator_of(run):
    """The evaluator of a run's data set; None if there is none, or if it can't be opened, whatever the reason."""
    try:
        return find_evaluator(run.record["data"])
    except Exception:  # what it would say is worth less than the picture
        return None


def _draws_from_noise(path):
    """False for an autoencoder, whose decoder means something only near the codes of images."""
    try:
        return Run(path).experiment.game != "autoencoder"
    except CganError:
        return True  # damaged: choosing it says what is wrong


def _options(run):
    """(text, value) of each entry of the class dropdown: classes, by group where they have one, or seeds."""
    if not run.conditional:
        return [(f"seed {seed}", seed) for seed in range(OFFERED_SEEDS)]
    groups = {name: group for group, names in CIFAR100_SUPERCLASSES.items() for name in names}
    if not set(run.class_names) <= set(groups):
        return [(name, index) for index, name in enumerate(run.class_names)]
    return sorted((f"{groups[name]} · {name}".replace("_", " "), index) for index, name in enumerate(run.class_names))


def explore(run=None, label=0, seed=0, count=10):
    """Show dropdowns of runs and classes, and draw what is chosen.

    run: the run to begin with, a name, a folder or a `Run`, by default the first. label: a class of it, by name or by
    number from 0; seed: from 0 to 999,999; count: how many images, 1 to 64, of that seed and those that follow it.
    Raises CganError, in one sentence, for a run that is missing, and for a class, seed or count that there is not.
    """
    display(Explorer(run, label, seed, count))


def explore_evolution(run, *others):
    """A slider over the epochs of a run: the same classes (rows) from the same seeds (columns), as training goes on.

    With others a dropdown chooses the run; the slider stays at its epoch where that run has it, else goes to the last.
    Twenty classes stand in two blocks of ten, with half of the seeds, so that all are on the screen at once.
    """
    pngs = {name: _stages(one) for name, one in by_name([run, *others]).items()}
    chosen = widgets.Dropdown(options=list(pngs), description="Run")
    epochs = list(pngs[chosen.value])
    slider = widgets.SelectionSlider(options=epochs, value=max(epochs), description="Epoch", continuous_update=True)
    image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start"))

    def paint(_=None):
        image.value = pngs[chosen.value][slider.value]

    def change_run(_):
        before, epochs = slider.value, list(pngs[chosen.value])
        slider.options = epochs  # moves it to the first one
        slider.value = before if before in epochs else max(epochs)
        paint()  # where the epoch is the same, only the run has changed

    slider.observe(paint, "value")
    chosen.observe(change_run, "value")
    paint()
    show(widgets.VBox([*([chosen] if others else []), slider, image]), image)


def _stages(run):
    """{epoch: PNG} of a run's evolution, as large as fits; raises CganError if it has none."""
    pictures = {epoch: folded(picture, len(run.shown_classes)) for epoch, picture in run.evolution.items()}
    if not pictures:
        raise CganError(f"Run {run.name} has no pictures of its evolution.")
    scale = max(1, TARGET // next(iter(pictures.values())).shape[1])
    return {epoch: to_png(enlarge(picture, scale)) for epoch, picture in pictures.items()}
