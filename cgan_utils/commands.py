"""What each command of `cgan` does. Keras loads only in those that need it, so that `cgan --help` answers at once."""

import io
import json
import os
import sys
import time
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from .errors import CganError, notice, one_line, to_install
from .files import METRICS
from .paths import expanded, file_names, own_folder, try_place, whole, write_whole

MOST_IN_A_PICTURE = 1000  # images of `cgan generate --count`
FILES = (".npz", ".npy", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".zip", ".keras", ".onnx")
BEGUN = ".begun.json"  # in a folder of drawings until all are there: what they are of


def list_(args):
    from .models.experiments import EXPERIMENTS
    from .results.run import Run, list_runs

    trained, rows = list_runs(), []
    for name in dict.fromkeys([*EXPERIMENTS, *trained]):  # the experiments, then runs that are called otherwise
        try:
            run = Run(trained[name]) if name in trained else None
        except CganError as error:
            run = None
            print(error, file=sys.stderr)
        if not run and name not in EXPERIMENTS:
            continue
        experiment = run.experiment if run else EXPERIMENTS[name]
        partner = "discriminator" if experiment.game == "gan" else "encoder"
        rows.append(
            {
                "name": name,
                "dataset": run.record["data"]["name"] if run else experiment.dataset,
                **(run.parameters if run else {"generator": None, partner: None}),
                "epochs": experiment.epochs,
                "trained_epochs": run.record["training"]["epochs"] if run else None,
                "bytes": run.size if run else None,
            }
        )
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    heads = ("generator", "other network", "epochs", "trained", "MB")
    print("{:34}{:14}{:>12}{:>15}{:>8}{:>9}{:>7}".format("experiment", "data set", *heads))
    for row in rows:
        other, size = row.get("discriminator") or row.get("encoder"), row["bytes"]
        counts = f"{row['generator']:>12,}{other:>15,}" if size else f"{'':27}"
        trained = f"{row['trained_epochs']:>9}{size / 1e6:>7.1f}" if size else f"{'no':>9}"
        print(f"{row['name']:34}{row['dataset']:14}{counts}{row['epochs']:>8}{trained}")


def data(args):
    from .data.archives import opened
    from .data.datasets import load
    from .data.readers import form_of
    from .data.survey import few_to_test_on, summary, survey

    if args.out:
        _must_end_in_png(args.out)
        try_place(args.out)
    dataset = load(args.name, background=args.background, labels=args.labels)
    print(summary(dataset))
    for remark in few_to_test_on(dataset):
        print(remark)
    if dataset.folder and not form_of(opened(dataset.folder)):
        print("\n".join(survey(dataset.folder, background=args.background, labels=args.labels)))
    if args.out:
        from .views.figures import class_grid

        sheet = io.BytesIO()
        class_grid(dataset.x_train, dataset.y_train, dataset.class_names, title=dataset.title).savefig(sheet, dpi=150)
        write_whole(args.out, sheet.getvalue())
        print(args.out)


def train(args):
    from .models.experiments import experiment, unmirrored

    began = time.monotonic()
    # A wrong name answers at once, without loading Keras.
    settings, seen = (experiment(args.experiment), None) if args.experiment else _suitable(args)
    settings = unmirrored(settings) if args.no_mirror else settings
    if (args.machines, args.machine) != (1, 1) and not args.coordinator:
        raise CganError("Several machines need --coordinator HOST:PORT, the address of the first one, on each of them.")
    if args.coordinator:
        if args.devices not in (None, "all"):
            raise CganError("Several machines train on all of their devices; leave --devices out.")
        from .backend import join

        join(args.coordinator, args.machines, args.machine)
    from .training.train import train

    changes = {"epochs": args.epochs, "batch_size": args.batch_size, "seed": args.seed}
    changes["draw_averaged"] = args.draw_averaged or None
    run = train(
        settings,
        args.out,
        resume=args.resume,
        data=_own_pictures(args, settings, seen) or args.data,
        background=args.background,
        limit_images=args.limit_images,
        precision=args.precision,
        checkpoint_minutes=args.checkpoint_minutes,
        score=args.score,
        minutes=args.minutes,
        steps_per_call=args.steps_per_call,
        compiled=args.compile or None,
        devices="all" if args.coordinator else args.devices,
        verbose=int(args.machine == 1),
        **{name: value for name, value in changes.items() if value is not None},
    )
    if run is None:  # the first machine has it
        return 0
    print(f"{run.title}: {run.path}")
    if run.name != run.path.name:
        print(f"Call it {run.name}; {run.path.name} is the run that ships with the project.")
    in_time = args.minutes and time.monotonic() >= began + 60 * args.minutes  # as was planned
    return 0 if run.record["training"]["complete"] or in_time else 130


def _suitable(args):
    """The experiment for --data where none is named, and the pictures as they were looked at; says which one it is."""
    from .data.datasets import load
    from .data.known import NAMES, SHAPES
    from .models.experiments import EXPERIMENTS, suitable

    if not args.data:
        raise CganError("Name an experiment of `cgan list`, or give --data FOLDER with pictures of your own.")
    if args.data in NAMES:
        fit = [name for name, one in EXPERIMENTS.items() if one.dataset == args.data]
        raise CganError(f"{args.data} is a data set of several experiments; name one of: {', '.join(fit)}.")
    dataset = load(args.data, background=args.background, labels=args.labels)
    settings = suitable(dataset.classes, dataset.shape[2], len(dataset.x_train))
    settings = _begun(settings, args.out) if args.resume else settings
    side = SHAPES[settings.dataset][0]
    print(
        f"Chosen for these pictures: {settings.name} at {side}×{side} pixels, {settings.epochs:,} epochs in batches of "
        f"{settings.batch_size}; another one of `cgan list` can be named."
    )
    return settings, dataset


def _begun(settings, out):
    """The experiment that a training began with: since then there may be more pictures, which suit another one."""
    from .models.experiments import Experiment
    from .training.checkpoints import read_identity
    from .training.places import checkpoint_of, newest, numbered

    checkpoint = checkpoint_of(Path(out).absolute() if out else newest(numbered(settings.name)))
    if not checkpoint.is_file():
        return settings  # `train` says what is missing
    # Defaults are left out there, and so is the number of epochs where it may change.
    optional = ("batch_size", "group", "mirror", "draw_averaged")
    begun = {name: getattr(Experiment, name) for name in optional} | read_identity(checkpoint)
    return replace(settings, **{name: begun[name] for name in ("architecture", "epochs", *optional) if name in begun})


def _own_pictures(args, settings, seen=None):
    """The folder that a training is to learn from, loaded and described in a line or two; None for a data set.

    seen: the same pictures as they were loaded already, which may be of another size.
    """
    from .data.datasets import load
    from .data.known import NAMES, SHAPES
    from .data.survey import imbalance, summary

    if not args.data or args.data in NAMES:
        return None
    size = SHAPES[settings.dataset][0]
    dataset = seen
    if not seen or seen.shape[0] != size:
        dataset = load(args.data, size=size, background=args.background, labels=args.labels)
    limit = args.limit_images or 0
    learned = dataset.limited(limit) if limit > 0 else dataset  # `train` refuses a limit below 1
    counts = [int((learned.y_train == label).sum()) for label in range(dataset.classes)]
    print(summary(dataset))
    for sentence in imbalance(dict(zip(dataset.class_names, counts, strict=True))):
        notice(sentence)
    return dataset


def generate(args):
    from .results.run import Run

    run, out = Run(args.run), expanded(args.out)
    into_folder = _names_folder(args.out)
    if not run.conditional and args.label is None and args.per_class is None:
        args.label = 0
    if (args.label is None) == (args.per_class is None):
        raise CganError("Give either --class NAME for a picture, or --per-class N for images of all classes.")
    if args.per_class is not None and args.count is not None:
        raise CganError("Give either --per-class N, so many of every class, or --count N, so many of one class.")
    if args.per_class is None:
        _must_end_in_png(out)
    if args.per_class and not into_folder and out.suffix.lower() != ".npz":
        raise CganError(f"{out} must end in .npz, or be a folder; a / at its end says that it is one.")
    _at_least(1, count=args.count, per_class=args.per_class)
    _at_least(0, seed=args.seed)
    try_place(out)
    if args.count and args.count > MOST_IN_A_PICTURE:
        more = "draw more with --per-class N, each into a file of its own"
        raise CganError(f"--count is {args.count}; a picture holds {MOST_IN_A_PICTURE:,} images at most: {more}.")
    if args.per_class is None:
        count = args.count or 1
        _picture(run, [args.label], count, args.seed, min(count, 10), out)
    else:
        (_into_folder if into_folder else _into_npz)(run, args.per_class, args.seed, out)
    print(out)


def _names_folder(text):
    """Whether what was typed as --out is a folder, such as new, dir/ or dir0.5, and not a file."""
    path = expanded(text)
    return str(text).endswith(("/", os.sep)) or path.is_dir() or path.suffix.lower() not in FILES


def _must_end_in_png(path):
    if Path(path).suffix.lower() != ".png":
        raise CganError(f"{path} must end in .png.")


def _at_least(least, **options):
    for name, value in options.items():
        if value is not None and value < least:
            raise CganError(f"--{name.replace('_', '-')} is {value}; it must be at least {least}.")


def _picture(run, classes, count, seed, columns, out):
    import numpy as np

    from .images import enlarge, grid, to_png

    labels = np.repeat(np.asarray(classes, object), count)
    images = run.generate(labels, [seed + i for _ in classes for i in range(count)])
    write_whole(out, to_png(enlarge(grid(images, columns, background=255), 4)))


def _all_classes(run, per_class, seed):
    """Labels and seeds, both [classes × N], of N images of each class; each image has a seed of its own."""
    import numpy as np

    labels = np.repeat(np.arange(len(run.class_names)), per_class)
    return labels, [seed + i for i in range(len(labels))]


def _into_npz(run, per_class, seed, out):
    """`images` uint8 [classes × N, H, W, C] and `labels` int32 [classes × N], written while they are drawn."""
    import numpy as np

    labels, seeds = _all_classes(run, per_class, seed)
    drawn = run.batches(labels, seeds)
    bar, done = _bar(run), 0
    head = {"descr": "|u1", "fortran_order": False, "shape": (len(labels), *run.shape)}
    try:
        with whole(out) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("images.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, head)
                for images in drawn:
                    file.write(images.tobytes())
                    done += len(images)
                    bar(done, len(labels))
            with archive.open("labels.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, labels.astype("int32"))
    except KeyboardInterrupt:
        notice(f"\nStopped after {done:,} of {len(labels):,} images; {out} was not written; a folder would keep them.")
        raise


def _into_folder(run, per_class, seed, out):
    """A PNG of each image, named after its seed, in a sub-folder of its class; goes on with what was begun."""
    from .images import to_png
    from .models.sampling import CHUNK

    labels, seeds = _all_classes(run, per_class, seed)
    run.batches(labels[-1:], seeds[-1:])  # whether the last seed exists
    _begin(out, {"generator_sha256": run.weights[run.draws_with], "per_class": per_class, "seed": seed})
    names, bar = file_names(run.class_names), _bar(run)
    files = [out / names[label] / f"{number:06d}.png" for label, number in zip(labels, seeds, strict=True)]
    there = {file for name in names for file in (out / name).glob("*.png")}
    try:
        for i in range(0, len(files), CHUNK):  # the same batches as without a stop, so that no pixel differs
            part = slice(i, i + CHUNK)
            if not there.issuperset(files[part]):
                (images,) = run.batches(labels[part], seeds[part])
                for file, image in zip(files[part], images, strict=True):
                    write_whole(file, to_png(image))
                    there.add(file)
            bar(min(i + CHUNK, len(files)), len(files))
    except KeyboardInterrupt:
        notice(f"\nStopped; {len(there):,} of {len(files):,} images are in {out}. The same command goes on from there.")
        raise
    (out / BEGUN).unlink()


def _begin(out, drawings):
    """Note in a new folder what is drawn into it; CganError for a folder that was not begun with the same."""
    note = json.dumps(drawings)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if not (out / BEGUN).is_file():
            raise CganError(f"{out} holds something already; name a new folder.")
        if (out / BEGUN).read_text("utf-8") != note:
            raise CganError(f"{out} was begun with another run, --seed or --per-class; name a new folder.")
        for left in out.glob("*/.new-????????-*.png"):  # of a process that was killed
            left.unlink(missing_ok=True)
    write_whole(out / BEGUN, note)


def _bar(run):
    from .data.sources import Progress

    return Progress(run.name, True, lambda done, total: f"{done:,} of {total:,} images")


def demo(args):
    from .results.run import Run

    run, out = Run(args.run), own_folder() / "demo.png"
    _picture(run, list(run.class_names), 10, 0, 10, out)
    print(out)


def evaluate(args):
    from .results.run import Run, list_runs

    if (args.run is None) != args.all:
        raise CganError("Give either a run's name or folder, or --all.")
    if args.all and args.data:
        raise CganError("--data names the pictures of one run; give its name or folder in place of --all.")
    _at_least(2, per_class=args.per_class)
    if args.fid and not all(map(find_spec, ("torch", "torchmetrics", "torch_fidelity"))):  # before minutes of measuring
        raise CganError(f"The Inception FID needs PyTorch and more; {to_install('fid')}")
    left_out = {}
    for name, path in list_runs().items() if args.all else [(args.run, args.run)]:
        try:
            run = Run(path)
            if not (args.all and run.experiment.game == "autoencoder"):
                _evaluate(run, args)
        except (CganError, OSError) as error:
            if not args.all:
                raise
            left_out[name] = f"{one_line(error)}."
    for name, why in left_out.items():
        print(f"{name} was left out: {why}", file=sys.stderr)
    return 2 if left_out else 0


def _evaluate(run, args):
    from .data.sources import Progress
    from .results.evaluation import evaluate, reference_of  # loads Keras; a wrong name was answered without
    from .results.inception import inception_fid

    try_place(run.path / METRICS)  # before minutes of measuring
    reference = reference_of(run, args.data)
    bar = Progress(run.name, True, lambda share, _: f"{'#' * round(20 * share):.<20} {share:.0%}")
    bar(0, 1)
    metrics = evaluate(run, reference, per_class=args.per_class, progress=lambda share: bar(share, 1))
    run.keep_metrics(metrics)
    if args.fid:
        value = inception_fid(run, reference.data.x_test)
        metrics["drawn"]["inception_fid"] = {"mean": value, "values": [value]}
        run.keep_metrics(metrics)
    print(f"{run.name}: {metrics['verdict']['text']} ({metrics['seconds']:.0f} s)")


def export(args):
    from .results.run import Run

    print(Run(args.run).export(args.file, args.label_type))
