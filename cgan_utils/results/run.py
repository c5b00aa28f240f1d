"""A trained run on disk: the only file that knows how a folder of `resultados/` is laid out.

    run.json                        what was trained, on what, for how long, with which versions; hashes of the weights
    generator.safetensors           the generator after the last step, in few bits; see `weights`
    generator_averaged.safetensors  the averaged generator, if any
    generator_best.safetensors      the generator after its best epoch, where epochs were scored
    encoder.safetensors             the encoder of a variational autoencoder
    history.csv                     a row per epoch
    losses.npz                      `losses` [steps, 2]: discriminator and generator, a row per iteration (of a VAE:
                                    reconstruction and divergence; of an autoencoder [steps, 1]: squared error)
    evolution/epoch_0005.png        a row per class, a column per seed, at native resolution; of very many classes
                                    some, then evolution/all_classes.png shows all after the last such epoch
    metrics.json                    how good the images are, if `cgan evaluate` has measured it; see `evaluation`
    curves.png                      losses and scores of each epoch, drawn when the run is evaluated
    README.md                       the card, made from the others

Nothing is unpickled and no code is read from files: the network is rebuilt by name.
"""

import functools
import hashlib
import json
import os
from contextlib import suppress

import numpy as np
import pandas as pd

from ..data.image_dataset import class_index
from ..errors import CganError, reading, unknown
from ..files import CARD, ENCODER, EVOLUTION, HISTORY, LOSSES, METRICS, RECORD
from ..images import from_png
from ..models.architectures import conditional
from ..models.experiments import EXPERIMENTS, Experiment, shown_classes
from ..paths import called, expanded, own_folder, put_back, shipped_folder, write_whole
from .card import CURVES, card, curves
from .weights import unpack

FORMAT = 1
NOT_SHIPPED = " Trained runs come with the project's repository; let CGAN_HOME name a clone of it."


def list_runs():
    """Folder of each run that can be opened by name, shipped ones first: {name: path}."""
    folders = shipped_folder(), own_folder()
    for folder in folders:
        put_back(folder)
    files = [file for folder in folders for file in sorted(folder.glob("[!.]*/run.json"))]  # .new-… is being written
    return {called(file.parent): file.parent for file in files}


class Run:
    """One trained run. `Run("modelo_1_mnist_v2")` opens it by name, `Run(path)` from any folder.

    Raises CganError, in one sentence, for a run that is missing, damaged, or of another version.
    """

    def __init__(self, name_or_path):
        self.path = _find(name_or_path)
        self.record = _read_json(self.path / RECORD)
        if self.record.get("format") != FORMAT:
            raise CganError(
                f"{self.path} is in format {self.record.get('format')!r}, and this version reads {FORMAT}; "
                "update the project, or train the run again."
            )
        self.name = called(self.path)
        with reading(self.path / RECORD):
            self.experiment = self._experiment()
            data = self.record["data"]
            self.conditional = conditional(self.experiment.architecture)
            self.class_names = tuple(data["class_names"]) if self.conditional else ("any",)
            self.shape = tuple(data["shape"])
            epochs = self.record["training"]["epochs"]
            self.age = f"{epochs:d} epoch{'s' * (epochs != 1)}"
            self.title = f"{self.name} ({data['title']:s}, {self.age})"
            self.weights, self.draws_with = dict(self.record["weights"]), self.record["draws_with"]
            partner = "discriminator" if self.experiment.game == "gan" else "encoder"
            self.parameters = {name: int(self.record["parameters"][name]) for name in ("generator", partner)}
            if not isinstance(data["name"], str):
                raise ValueError(f"its data are called {data['name']!r}")
            if len(self.shape) != 3 or not all(type(size) is int and 0 < size < 4096 for size in self.shape):
                raise ValueError(f"images of the shape {self.shape} can't be drawn")
            if self.draws_with not in self.weights:
                raise ValueError(f"it draws with {self.draws_with}, which it has not")
        self._networks = {}

    def _experiment(self):
        try:
            return Experiment.from_dict(self.record["experiment"])
        except CganError as error:  # of a newer version, or with an architecture of one's own
            raise CganError(f"{self.path} can't be opened: {error}") from None

    def generator(self, file=None):
        """The generator as a Keras model, float32: (noise [N, 100], labels [N]) → [N, H, W, C] in [-1, 1].

        An unconditional one takes no labels. file: LAST, AVERAGED or BEST, by default the one that draws.
        """
        return self.network(file or self.draws_with)

    def network(self, file):
        """The network that is kept in `file`, one of `weights`, as a Keras model."""
        # Here, since listing runs must not cost Keras's seconds to load.
        from ..models.networks import build_encoder, build_generator

        if file not in self._networks:
            builder = build_encoder if file == ENCODER else build_generator
            with reading(self.path / RECORD):  # its numbers may describe a network that can't be
                model = builder(self.experiment.architecture, len(self.class_names), self.shape, dtype="float32")
            self._fill(model, file)
            self._networks[file] = model
        return self._networks[file]

    def generate(self, classes, seeds, file=None):
        """New images, uint8 [N, H, W, C]: the i-th is of class classes[i] (name, else index) from seeds[i].

        Both may be any iterable that has an order. One class, or one seed, may stand for all; a run without classes
        has one, 'any'. The same run, class and seed is the same image on every machine, up to rounding.

        Raises CganError for a class or seed that does not exist, and for what is no list of them.
        """
        classes = _listed(classes, "classes")
        return self.draw([class_index(value, self.class_names) for value in classes], seeds, file)

    def draw(self, labels, seeds, file=None):
        """What `generate` returns, for the numbers of classes, from 0 on, whatever the classes are called."""
        return np.concatenate(list(self.batches(labels, seeds, file)))

    def batches(self, labels, seeds, file=None):
        """What `draw` returns, a part after the other, for more images than the memory holds.

        An iterator of uint8 [n, H, W, C] with n = 64, or fewer in the last one. Raises CganError at once, as `draw`.
        """
        from ..models.sampling import batches, checked_labels, checked_seeds

        labels, seeds = _listed(labels, "classes"), _listed(seeds, "seeds")
        count, counts = max(len(labels), len(seeds)), {len(labels), len(seeds)}
        if 0 in counts or not counts <= {1, count}:
            raise CganError(f"{len(labels)} classes, {len(seeds)} seeds: give as many of both, or one of them for all.")
        labels, seeds = checked_labels(labels, len(self.class_names)), checked_seeds(seeds)
        return batches(self.generator(file), np.broadcast_to(labels, count), np.broadcast_to(seeds, count))

    @functools.cached_property
    def metrics(self):
        """What `evaluation.evaluate` found for the generator that draws; None if it has not looked at that one."""
        if not (self.path / METRICS).is_file():
            return None
        found = _read_json(self.path / METRICS)
        with reading(self.path / METRICS):
            return found if found["protocol"]["generator_sha256"] == self.weights[self.draws_with] else None

    def keep_metrics(self, metrics):
        """Write what `evaluation.evaluate` found into metrics.json, draw the curves, and renew the card.

        An Inception FID that was measured before stays, if the generator and the test images are the same.
        """
        self._refuse_newer()
        self.__dict__.pop("metrics", None)  # what was read before
        metrics = self._with_fid(metrics)
        self.__dict__.pop("metrics", None)
        lines = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in metrics.items()]
        self._rewrite({METRICS: "{\n" + ",\n".join(lines) + "\n}\n"})  # first: no figure may cost minutes of measuring
        if len(self.history):
            self._rewrite({f"{CURVES}.png": curves(self)})

    def _with_fid(self, metrics):
        """The metrics, with the Inception FID of metrics.json if they lack it and it is of the same images."""
        with suppress(CganError, KeyError):  # no file, or a damaged one: nothing to keep
            old, images = self.metrics or {}, "data_fingerprint"
            if old["protocol"][images] == metrics["protocol"][images]:
                kept = {"inception_fid": old["drawn"]["inception_fid"]}
                return {**metrics, "drawn": metrics["drawn"] | kept | metrics["drawn"]}
        return metrics

    def _rewrite(self, contents):
        """Replace some files, {name: text or bytes}, and then the card."""
        for name, content in contents.items():
            write_whole(self.path / name, content)
        pictures = [picture.stem for folder in (".", EVOLUTION) for picture in (self.path / folder).glob("*.png")]
        history = self.history.to_dict("records")
        write_whole(self.path / CARD, card(self.path, self.record, history, pictures, self.metrics))

    def export(self, path, label_type="int32"):
        """Write the generator for use without this package, and return the path; its ending says the form.

        .keras opens in Keras 3.8 and newer, .onnx in other runtimes, .tflite in LiteRT; a name without an
        ending is a folder for the Hugging Face Hub, with a script that draws. `onnx.export` says what an
        .onnx file takes and gives; label_type "int64" is for ncnn, and for .onnx files only.

        Raises CganError for another ending, and where what a form needs is not installed.
        """
        from .export import export

        return export(self, expanded(path), label_type)

    @property
    def history(self):
        """One row per epoch: losses and scores in training, and on the test images (columns val_…)."""
        with reading(self._file(HISTORY)):
            table = pd.read_csv(self.path / HISTORY)
            words = [name for name in table if not pd.api.types.is_numeric_dtype(table[name]) and len(table)]
            if "epoch" not in table or words:
                raise ValueError(f"no numbers in {', '.join(words)}" if words else "it has no column epoch")
            return table

    @property
    def losses(self):
        """float32 [iterations, k]: of a GAN, the loss of the discriminator and of the generator; see `loss_names`."""
        with reading(self._file(LOSSES)), np.load(self.path / LOSSES, allow_pickle=False) as file:
            losses = file["losses"]
            columns = losses.shape[1] if losses.ndim == 2 and losses.dtype.kind == "f" else None
            if columns is None or (losses.size and columns != len(self.loss_names)):
                raise ValueError(f"its losses are {losses.dtype} of the shape {losses.shape}")
            return losses

    @property
    def loss_names(self):
        """What the columns of `losses` are, by their names in `history`."""
        known = {"gan": ("d_loss", "g_loss"), "vae": ("reconstruction", "kl"), "autoencoder": ("squared_error",)}
        return known[self.experiment.game]

    @functools.cached_property
    def evolution(self):
        """{epoch: uint8 picture}, a row per class and a column per seed; epoch 0 is before training."""
        pictures = {}
        for file in sorted((self.path / EVOLUTION).glob("epoch_*.png")):
            with reading(file):
                picture = from_png(file)
                if picture.shape != next(iter(pictures.values()), picture).shape:
                    raise ValueError("it is not of the size of those before it")
                pictures[int(file.stem.removeprefix("epoch_"))] = picture
        return pictures

    @property
    def shown_classes(self):
        """The names of the rows of an evolution picture, from top to bottom."""
        return [self.class_names[label] for label in shown_classes(self.class_names)]

    @property
    def size(self):
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def _refuse_newer(self):
        if _read_json(self.path / RECORD) != self.record:
            raise CganError(f"{self.path} was written again since it was opened, as by a training; open it again.")

    def _file(self, name):
        if not (self.path / name).is_file():
            raise CganError(f"{self.path / name} is missing; copy the run again, or train it again.")
        return self.path / name

    def _fill(self, model, file):
        """Put the weights that are kept in `file` into the model."""
        misfit = CganError(f"{self.path / file} does not fit network {self.experiment.architecture}; copy it again.")
        empty = {variable.path: variable for variable in model.variables}
        for name, array in self._read_weights(file):
            variable = empty.pop(name, None)
            if variable is None or tuple(variable.shape) != array.shape:
                raise misfit
            variable.assign(array)
        if empty:
            raise misfit

    def _read_weights(self, file):
        if file not in self.weights:
            raise CganError(f"Run {self.name} has no {file}; it has {', '.join(self.weights)}.")
        content = self._file(file).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.weights[file]:
            self._refuse_newer()
            raise CganError(f"{self.path / file} is truncated or altered, not what run.json describes; copy it again.")
        with reading(self.path / file):
            return unpack(content)


def _listed(values, what):
    """One value, or some in their order, as a list. Raises CganError for a set, a matrix, and True or False."""
    if isinstance(values, set | frozenset):
        raise CganError(f"The {what} are a set, which has no order; give a list, such as sorted({what}).")
    if hasattr(values, "__array__"):
        values = np.asarray(values)
        if values.ndim > 1:
            raise CganError(f"The {what} are of shape {values.shape}; give a single one or a list of them.")
        values = values.tolist()  # as numbers and texts of Python
    single = isinstance(values, str | bytes) or not hasattr(values, "__iter__")
    listed = [values] if single else [x.item() if isinstance(x, np.generic) else x for x in values]
    for value in listed:
        if isinstance(value, bool) or (hasattr(value, "__len__") and not isinstance(value, str)):
            raise CganError(f"{value!r} is among the {what}, and stands for no single one; give numbers or names.")
    return listed


def _find(name_or_path):
    if isinstance(name_or_path, Run):
        return name_or_path.path
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise CganError(f"{name_or_path!r} is no run; give a run's name or its folder.")
    path = expanded(name_or_path)
    put_back(path.absolute().parent)
    if (path / RECORD).is_file():
        return path.resolve()
    runs = list_runs()
    if str(name_or_path) in runs:
        return runs[str(name_or_path)]
    if path.is_dir():
        raise CganError(f"{path} holds no run.json, so it is not a run; give a run's name or its folder.")
    if str(name_or_path) in EXPERIMENTS:
        elsewhere = "" if shipped_folder().is_dir() else NOT_SHIPPED
        raise CganError(f"{name_or_path} has not been trained here; `cgan train {name_or_path}` does it.{elsewhere}")
    raise CganError(unknown("run", name_or_path, runs) if runs else f"There is no run {str(name_or_path)!r}.")


def _read_json(file):
    with reading(file):
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it does not describe a run")
        return content
