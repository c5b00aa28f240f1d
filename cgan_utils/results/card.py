"""The card of a run: its README.md, made from run.json and the history, so that it cannot disagree with them."""

import io
import re

from ..files import AVERAGED
from ..models.architectures import Projected, architecture, conditional
from ..models.experiments import ALL_CLASSES, Experiment
from ..paths import called, opened_by
from .verdicts import weaknesses

TERMS = {"celeba": "for non-commercial research only; the pictures may not be passed on"}
CURVES = "curves"  # name of the picture of losses and scores


def card(path, record, history, pictures, metrics=None):
    """Markdown text. path: the folder of the run; record: run.json as a dict; history: list of dicts; pictures: names
    of those in evolution/, and CURVES if there is one.

    metrics: metrics.json as a dict, if the run has been evaluated.
    """
    experiment, data, training = record["experiment"], record["data"], record["training"]
    named = conditional(experiment["architecture"])
    best = training.get("best_epoch") if record["draws_with"] != AVERAGED else None  # what is averaged has no epoch
    planned = experiment["epochs"]
    sizes = ", ".join(f"{network} {count:,}" for network, count in record["parameters"].items())
    averaging = f"the averaged generator keeps {experiment['averaging']:g} of itself at each step"
    rows = {
        "Data": f"{data['title']}: {data['images']:,} training and {data['test_images']:,} test images",
        "Terms of the data": "" if data["stand_in"] else TERMS.get(data["name"], ""),
        "Network": f"{experiment['architecture']}, parameters: {sizes}",
        "Step": f"{_objective(experiment)}, {_batch(experiment)}, {_optimizer(experiment)}",
        "Augmentation": _augmentation(experiment),
        "Averaging": averaging if experiment.get("game", "gan") == "gan" else "",
        "Seed": str(experiment["seed"]),
        "Trained": f"{training['epochs']} of {planned} planned epochs, {training['images_seen']:,} images seen",
        "On": f"{training['machine']}, {training['precision']}, {training['seconds_per_epoch']:.0f} s per epoch",
        "Trained as": ", ".join(training["trained_as"]),
        "Draws with": record["draws_with"] + (f", of epoch {best}, whose drawings scored best" if best else ""),
        "Versions": ", ".join(f"{library} {version}" for library, version in record["versions"].items()),
    }
    if teacher := record.get("teacher"):
        rows["Looks through"] = f"a classifier that knows {teacher['accuracy']:.1%} of the test images"
    table = [f"| {key} | {value} |" for key, value in rows.items() if value]
    lines = [*_head(record, named), f"# {called(path)}", "", "| | |", "|---|---|", *table, ""]
    if training["epochs"] < planned:
        lines += [f"**Shorter than planned:** {training['epochs']} of {planned} epochs.", ""]
    if history:
        lines += ["## Last epoch", "", "| | training | test |", "|---|---|---|", *_last_epoch(history[-1]), ""]
    if CURVES in pictures:
        lines += ["## Losses and scores", "", f"![losses and scores of each epoch]({CURVES}.png)", ""]
    if metrics:
        lines += ["## How good are the images?", "", metrics["verdict"]["text"], "", *_measures(metrics), ""]
        known = [f"- {sentence}" for sentence in weaknesses(metrics)]
        lines += ["## Known weaknesses", "", *known, ""] if known else []
    epochs = sorted(picture for picture in pictures if picture.startswith("epoch"))
    if epochs:
        layout = "A row is a class, a column is a seed." if named else "Each image is from a seed of its own."
        lines += ["## Evolution", "", layout, ""]
        if record["draws_with"] == AVERAGED and not experiment.get("draw_averaged"):  # `GAN.drawer` made the pictures
            lines += ["These are of the last generator, as it trained; the run draws with the averaged one.", ""]
        lines += [f"![{picture}](evolution/{picture}.png)" for picture in (epochs[0], epochs[-1])]
        lines += [""]
    if ALL_CLASSES in pictures:
        lines += ["All classes, three seeds each:", "", f"![all classes](evolution/{ALL_CLASSES}.png)", ""]
    if experiment.get("game") == "autoencoder":
        return "\n".join(
            [*lines, "Its decoder means something only near the codes of images; notebook 12 shows them.", ""]
        )
    choice = f"--class {quoted(data['class_names'][-1])}" if named else "--count 10"
    lines += ["Draw with it: ", "", f"    cgan generate {quoted(opened_by(path))} {choice} --out image.png", ""]
    return "\n".join(lines)


def _head(record, named):
    """The lines that model hubs read: YAML between two rulers."""
    data, game = record["data"], record["experiment"].get("game", "gan")
    lines = ["---", "library_name: keras"]
    lines += [] if game == "autoencoder" else ["pipeline_tag: unconditional-image-generation"]  # with classes, too
    lines += ["tags:", f"- {game}"] + ["- class-conditional"] * named
    if not data.get("folder") and not data["stand_in"]:
        lines += ["datasets:", f"- {data['name']}"]
    return [*lines, "---", ""]


def quoted(text):
    """A word of a command line: in double quotes, which the shell of Windows knows, too, where it needs any."""
    return text if re.fullmatch(r"[\w.:/\\+-]+", text) else f'"{text}"'


def curves(run):
    """The picture of a run's losses and scores, as the bytes of a PNG."""
    import matplotlib.pyplot as plt  # here: writing a card without curves must not cost its loading

    from .curves import epoch_curves

    figure, file = epoch_curves(run.history, run.title), io.BytesIO()
    figure.savefig(file, format="png", dpi=80, metadata={"Software": None})
    plt.close(figure)
    return file.getvalue()


def _last_epoch(row):
    names = {
        "d_loss": "discriminator loss",
        "g_loss": "generator loss",
        "accuracy": "discriminator accuracy",
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
        "reconstruction": "reconstruction (nats per image)",
        "kl": "divergence of the code (nats per image)",
        "squared_error": "squared error of a pixel in [-1, 1]",
    }
    return [f"| {text} | {row[key]:.3f} | {row['val_' + key]:.3f} |" for key, text in names.items() if key in row]


def _measures(metrics):
    """A table of the measures, drawn beside real, with a line on how they were taken."""
    protocol, rows = metrics["protocol"], ["| | drawn | real |", "|---|---|---|"]
    for name, value in metrics["drawn"].items():
        real = metrics["real"].get(name)
        rows.append(f"| {name.replace('_', ' ')} | {value['mean']:.4g} | {'' if real is None else f'{real:.4g}'} |")
    count = f"{protocol['images_per_class'] * len(metrics['class_names']):,} images, {protocol['repeats']} times"
    judge = f"; evaluator: {protocol['evaluator']}" if protocol["evaluator"] else ""
    return [*rows, "", f"({count}{judge}. What each measure is: `cgan_utils/results/evaluation.py`.)"]


def _objective(experiment):
    if experiment.get("game") == "vae":
        return f"evidence lower bound, pixel variance {experiment['pixel_variance']:g}"
    if experiment.get("game") == "autoencoder":
        return "squared error"
    extras = (("label_smoothing", "label smoothing"), ("label_noise", "label noise"))
    said = "".join(f", {text} {experiment[key]:g}" for key, text in extras if experiment.get(key))
    return f"{experiment['update']}, {experiment['loss']} loss{said}"


def _batch(experiment):
    group = experiment.get("group", 1)
    return f"batch {experiment['batch_size']}" + (f", in groups of {group} images of one class" if group > 1 else "")


def _optimizer(experiment):
    said = f"{experiment['optimizer']}, learning rate {experiment['learning_rate']:g}"
    if experiment["optimizer"] == "adam":
        said += f", β₁ {experiment['beta_1']:g}"
        beta_2 = experiment.get("beta_2", Experiment.beta_2)  # older records lack it
        said += f", β₂ {beta_2:g}" if beta_2 != Experiment.beta_2 else ""
    if experiment.get("d_learning_rate"):
        said += f", the discriminator's rate {experiment['d_learning_rate']:g}"
    if experiment.get("schedule", "constant") != "constant":
        said += ", falling to 0 along a cosine"
    return said


def _augmentation(experiment):
    """What is done to images before a network sees them; empty if nothing is."""
    said, row = [], architecture(experiment["architecture"])
    if experiment.get("mirror"):
        said.append("half of the training images mirrored")
    if isinstance(row, Projected) and "augmentation" not in row.without:
        mirrored = "half of them are mirrored" if row.mirror else "none is mirrored"
        said.append(f"real and drawn images change in brightness, saturation, contrast and place; {mirrored}")
    return "; ".join(said)
