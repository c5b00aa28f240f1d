"""The card of a run: its README.md, made from run.json and the history, so that it cannot disagree with them."""


def card(name, record, history, epochs_drawn):
    """Markdown text. record: run.json as a dict; history: list of dicts; epochs_drawn: epochs in evolution/."""
    experiment, data, training = record["experiment"], record["data"], record["training"]
    optimizer = f"{experiment['optimizer']}, learning rate {experiment['learning_rate']:g}"
    if experiment["optimizer"] == "adam":
        optimizer += f", β₁ {experiment['beta_1']:g}"
    planned = experiment["epochs"]
    rows = {
        "Data": f"{data['title']}: {data['images']:,} training and {data['test_images']:,} test images",
        "Network": f"{experiment['architecture']}: generator {record['parameters']['generator']:,} parameters, "
        f"discriminator {record['parameters']['discriminator']:,}",
        "Step": f"{experiment['update']}, {experiment['loss']} loss, batch {experiment['batch_size']}, {optimizer}",
        "Trained": f"{training['epochs']} of {planned} planned epochs, {training['images_seen']:,} images seen",
        "On": f"{training['machine']}, {training['precision']}, {training['seconds_per_epoch']:.0f} s per epoch",
        "Trained as": ", ".join(training["trained_as"]),
        "Draws with": record["draws_with"],
        "Versions": ", ".join(f"{library} {version}" for library, version in record["versions"].items()),
    }
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items()), ""]
    if training["epochs"] < planned:
        lines += [f"**Shorter than planned:** {training['epochs']} of {planned} epochs.", ""]
    if history:
        lines += ["## Last epoch", "", "| | training | test |", "|---|---|---|", *_last_epoch(history[-1]), ""]
    if epochs_drawn:
        lines += ["## Evolution", "", "A row is a class, a column is a seed.", ""]
        lines += [f"![epoch {epoch}](evolution/epoch_{epoch:04d}.png)" for epoch in (epochs_drawn[0], epochs_drawn[-1])]
        lines += [""]
    lines += ["Draw with it: ", "", f"    cgan generate {name} --class {data['class_names'][-1]!r} --out image.png", ""]
    return "\n".join(lines)


def _last_epoch(row):
    names = {
        "d_loss": "discriminator loss",
        "g_loss": "generator loss",
        "accuracy": "discriminator accuracy",
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
    }
    return [f"| {text} | {row[key]:.3f} | {row['val_' + key]:.3f} |" for key, text in names.items()]
