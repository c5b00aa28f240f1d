"""The command line `cgan`. Keras loads only in the commands that need it, so that `cgan --help` answers at once."""

import argparse
import io
import json
import os
import sys
from pathlib import Path

from . import __version__
from .errors import CganError, one_line, unknown
from .paths import write_whole


def list_(args):
    from .models.experiments import EXPERIMENTS
    from .results.run import Run, list_runs

    trained, rows = list_runs(), []
    for name, experiment in EXPERIMENTS.items():
        run = Run(trained[name]) if name in trained else None
        partner = "discriminator" if experiment.game == "gan" else "encoder"
        parameters = run.record["parameters"] if run else {}
        rows.append(
            {
                "name": name,
                "dataset": experiment.dataset,
                "generator": parameters.get("generator"),
                partner: parameters.get(partner),
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
    from .data.datasets import load

    dataset = load(args.name)
    height, width, channels = dataset.shape
    print(
        f"{dataset.title}: {len(dataset.x_train):,} training and {len(dataset.x_test):,} test images of "
        f"{height}×{width}×{channels}, {dataset.classes} classes: {', '.join(dataset.class_names)}"
    )


def train(args):
    from .models.experiments import experiment

    settings = experiment(args.experiment)  # a wrong name answers at once, without loading Keras
    from .training.train import train

    run = train(
        settings,
        args.out,
        resume=args.resume,
        data=args.data,
        limit_images=args.limit_images,
        precision=args.precision,
        checkpoint_minutes=args.checkpoint_minutes,
        score=args.score,
        minutes=args.minutes,
        epochs=args.epochs,
        batch_size=args.batch_size,
        seed=args.seed,
    )
    print(f"{run.title}: {run.path}")
    return 0 if run.record["training"]["complete"] else 130


def generate(args):
    from .results.run import Run

    run, out = Run(args.run), Path(args.out)
    if not run.conditional and args.label is None and args.per_class is None:
        args.label = 0
    if (args.label is None) == (args.per_class is None):
        raise CganError("Give either --class NAME for a picture, or --per-class N for images of all classes.")
    if args.per_class is None and out.suffix != ".png":
        raise CganError(f"{out} must end in .png.")
    if args.per_class and out.suffix not in (".npz", ""):
        raise CganError(f"{out} must end in .npz, or be a folder, which has no ending.")
    _at_least(1, count=args.count, per_class=args.per_class)
    _at_least(0, seed=args.seed)
    if args.per_class is None:
        _picture(run, [args.label], args.count, args.seed, min(args.count, 10), out)
    else:
        _arrays(run, args.per_class, args.seed, out)
    print(out)


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


def _arrays(run, per_class, seed, out):
    """`images` uint8 [classes × N, H, W, C] and `labels` [classes × N]; each image from a seed of its own.

    Into a folder: a PNG of each image, named after its seed, in a sub-folder of its class.
    """
    import numpy as np

    from .images import to_png

    labels = np.repeat(np.arange(len(run.class_names)), per_class)
    images = run.generate(labels, [seed + i for i in range(len(labels))])
    if out.suffix:
        packed = io.BytesIO()
        np.savez_compressed(packed, images=images, labels=labels.astype("int32"))
        write_whole(out, packed.getvalue())
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CganError(f"{out} holds something already; name a new folder.")
    for number, (image, label) in enumerate(zip(images, labels, strict=True), start=seed):
        folder = out / run.class_names[label].replace("/", "-")
        write_whole(folder / f"{number:06d}.png", to_png(image))


def demo(args):
    from .paths import own_folder
    from .results.run import Run

    run, out = Run(args.run), own_folder() / "demo.png"
    _picture(run, list(run.class_names), 10, 0, 10, out)
    print(out)


def evaluate(args):
    from .results.run import Run, list_runs

    if (args.run is None) != args.all:
        raise CganError("Give either a run's name or folder, or --all.")
    _at_least(1, per_class=args.per_class)
    runs = [Run(path) for path in (list_runs().values() if args.all else [args.run])]
    from .results.evaluation import evaluate as measure  # loads Keras; a wrong name has been answered without
    from .results.evaluation import reference_of
    from .results.inception import inception_fid

    for run in runs:
        if args.all and run.experiment.game == "autoencoder":
            continue
        metrics = measure(run, per_class=args.per_class, progress=_progress(run.name))
        run.keep_metrics(metrics)
        if args.fid:
            test_images = reference_of(run.record["data"]["name"], run.record["data"]["stand_in"]).data.x_test
            value = inception_fid(run, test_images)
            metrics["drawn"]["inception_fid"] = {"mean": value, "values": [value]}
            run.keep_metrics(metrics)
        print(f"{run.name}: {metrics['verdict']['text']} ({metrics['seconds']:.0f} s)")


def _progress(name):
    """A function that shows a share, 0 to 1, as a bar in the terminal, and clears it at the end."""
    width = 30

    def show(share):
        filled = round(width * share)
        line = f"\r{name} {'█' * filled}{'░' * (width - filled)} {share:.0%}"
        print(line if share < 1 else f"\r{' ' * len(line)}\r", end="", file=sys.stderr, flush=True)

    if sys.stderr.isatty():
        show(0)
        return show
    return None


def export(args):
    from .results.run import Run

    print(Run(args.run).export(args.file))


class _Parser(argparse.ArgumentParser):
    """Says the nearest command for one that does not exist."""

    def _check_value(self, action, value):
        if action.dest == "command" and value not in action.choices:
            raise CganError(unknown("command", value, action.choices))
        super()._check_value(action, value)


def parser():
    main = _Parser(prog="cgan", description="Learn, train and run conditional GANs.")
    main.add_argument("--version", action="version", version=f"cgan {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="command")

    def command(name, function, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        return sub.add_argument

    add = command("list", list_, "the experiments, and which of them have a trained run here")
    add("--json", action="store_true", help="as JSON, for other tools")

    add = command("data", data, "find or download a data set, check it, and say what is in it")
    add("name", help="mnist, fashion_mnist, cifar10, cifar100, celeba, or a folder of pictures or of classes")

    add = command("train", train, "train an experiment into a new folder")
    add("experiment", help="a name from `cgan list`")
    add("--out", type=Path, metavar="DIR", help="folder of the run (default: a new one in runs/)")
    add("--data", metavar="NAME-OR-FOLDER", help="train on other images, such as a folder of yours")
    add("--epochs", type=int, metavar="N", help="epochs in all, also when resuming")
    add("--limit-images", type=int, metavar="N", help="train on the first N images only")
    add("--batch-size", type=int, metavar="N")
    add("--seed", type=int, metavar="S")
    add("--resume", action="store_true", help="go on where an interrupted training stopped")
    add("--minutes", type=float, metavar="M", help="stop after so long; go on with --resume")
    add("--precision", default="auto", help="auto, float32 or mixed_bfloat16 (default: what this machine is fast at)")
    add("--score", type=int, metavar="N", help="judge N drawings of each class after each epoch, and keep the best")
    add("--checkpoint-minutes", type=float, default=5, metavar="M", help="beside the one after each epoch (default 5)")

    add = command("generate", generate, "draw images with a trained run")
    add("run", help="a run's name or folder")
    add("--class", dest="label", metavar="NAME-OR-INDEX", help="the class to draw")
    add("--count", type=int, default=1, metavar="N", help="images (default 1)")
    add("--seed", type=int, default=0, metavar="S", help="seed of the first; the others follow (default 0)")
    add("--per-class", type=int, metavar="N", help="N images of every class, for other tools")
    add("--out", required=True, metavar="FILE", help="a .png, or with --per-class a .npz or a new folder")

    add = command("evaluate", evaluate, "measure how good a run's images are, and write it into the run")
    add("run", nargs="?", help="a run's name or folder")
    add("--all", action="store_true", help="all runs at hand, but for autoencoders")
    add("--fid", action="store_true", help="the Inception FID, too (extra 'fid', and a connection the first time)")
    add("--per-class", type=int, metavar="N", help="images of each class (default 10,000 divided by the classes)")

    add = command("export", export, "write a run's generator in Keras's own format")
    add("run", help="a run's name or folder")
    add("file", metavar="FILE.keras")

    add = command("demo", demo, "draw ten images of every class into one picture")
    add("--run", default="modelo_1_mnist_v2", help="a run's name or folder (default modelo_1_mnist_v2)")
    return main


def main(arguments=None):
    """Exit code 0: done; 2: bad input or a training that failed, said in one sentence; 130: stopped by Ctrl-C."""
    try:
        args = parser().parse_args(arguments)
        return args.function(args) or 0
    except CganError as error:
        print(f"cgan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as with `cgan list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # what the system refuses: a folder that can't be written, a disk that is full
        reason = error.strerror or one_line(error)
        place = f"{error.filename} can't be read or written ({reason}); choose another, or make room."
        print(f"cgan: {place if error.filename else f'The system refused it ({reason}).'}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
