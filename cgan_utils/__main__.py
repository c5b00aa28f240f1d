"""The command line `cgan`: its options, and what it answers to what goes wrong; `commands` does the work."""

import argparse
import sys

from . import __version__, commands
from .errors import CganError, one_line, unknown
from .paths import expanded
from .streams import unbroken


class _Parser(argparse.ArgumentParser):
    """Says the nearest command for one that does not exist."""

    def _check_value(self, action, value):
        if action.dest == "command" and value not in action.choices:
            raise CganError(unknown("command", value, action.choices))
        super()._check_value(action, value)


def number_or_all(text):
    """What --devices takes."""
    return text if text == "all" else int(text)


def parser():
    main = _Parser(prog="cgan", description="Learn, train and run conditional GANs.")
    main.add_argument("--version", action="version", version=f"cgan {__version__}")
    known = main.add_subparsers(dest="command", required=True, metavar="command")

    def command(name, function, text):
        sub = known.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        return sub.add_argument

    forms = (
        "a folder, .zip or .tar of pictures or of classes, or files of the forms .npz, idx (.gz), .csv of a label and "
        "pixels, .npy of each class, .parquet, SVHN's .mat, CIFAR, STL-10, WebDataset"
    )
    labels = "of pictures that are in no class folders: a table of file names and classes, or from-name (cat.0001.jpg)"
    behind = "what shows where a picture of your own is transparent (default white)"
    add = command("list", commands.list_, "the experiments, and which of them have a trained run here")
    add("--json", action="store_true", help="as JSON, for other tools")

    add = command("data", commands.data, "find or download a data set, check it, and say what is in it")
    add("name", help=f"mnist, fashion_mnist, cifar10, cifar100, celeba, or {forms}")
    add("--labels", metavar="FILE.csv", help=labels)
    add("--background", default="white", metavar="COLOUR", help=behind)
    add("--out", type=expanded, metavar="FILE.png", help="write a picture with images of each class")

    add = command("train", commands.train, "train an experiment into a new folder")
    add("experiment", nargs="?", help="a name from `cgan list`; without one, --data decides")
    add("--out", type=expanded, metavar="DIR", help="folder of the run (default: a new one in runs/)")
    add("--data", metavar="NAME-OR-FOLDER", help=f"train on other images: a data set, or {forms}")
    add("--labels", metavar="FILE.csv", help=labels)
    add("--background", default="white", metavar="COLOUR", help=behind)
    add("--no-mirror", action="store_true", help="never mirror an image; for pictures with writing, say")
    add("--epochs", type=int, metavar="N", help="epochs in all, also when resuming")
    add("--limit-images", type=int, metavar="N", help="train on the first N images only, and test on N at most")
    add("--batch-size", type=int, metavar="N")
    add("--seed", type=int, metavar="S")
    add("--resume", action="store_true", help="go on where an interrupted training stopped")
    add("--minutes", type=float, metavar="M", help="stop after so long, with exit code 0; go on with --resume")
    add(
        "--steps-per-call", type=int, metavar="N", help="with JAX, N steps in one compiled call (default: what is fast)"
    )
    add("--compile", action="store_true", help="have XLA compile the step with TensorFlow, too (for a graphics card)")
    add("--devices", type=number_or_all, metavar="N", help="with JAX, divide each batch among N devices, or all")
    add("--coordinator", metavar="HOST:PORT", help="of the first of several machines that train together, with JAX")
    add("--machines", type=int, default=1, metavar="N", help="how many there are")
    add("--machine", type=int, default=1, metavar="I", help="which one this is, from 1")
    add("--precision", default="auto", help="auto, float32 or mixed_bfloat16 (default: what this machine is fast at)")
    add("--score", type=int, metavar="N", help="judge N drawings of each class after each epoch, draw with the best")
    averaged = "a GAN's run draws with its averaged generator, which --score then judges (modelo_6 and dcgan always do)"
    add("--draw-averaged", action="store_true", help=averaged)
    add(
        "--checkpoint-minutes",
        type=float,
        default=5,
        metavar="M",
        help="at least so often, also within an epoch (default 5)",
    )

    add = command("generate", commands.generate, "draw images with a trained run")
    add("run", help="a run's name or folder")
    add("--class", dest="label", metavar="NAME-OR-INDEX", help="the class to draw")
    add("--count", type=int, metavar="N", help="images of that class (default 1)")
    add("--seed", type=int, default=0, metavar="S", help="seed of the first; the others follow (default 0)")
    add("--per-class", type=int, metavar="N", help="N images of every class, for other tools")
    add(
        "--out",
        required=True,
        metavar="FILE",
        help="a .png; with --per-class a .npz or a folder, new or begun",
    )

    add = command("evaluate", commands.evaluate, "measure how good a run's images are, and write it into the run")
    add("run", nargs="?", help="a run's name or folder")
    add("--all", action="store_true", help="all runs at hand, but for autoencoders")
    add("--data", metavar="FOLDER", help="where the pictures are that it learned from, if they were moved")
    fid = "the Inception FID, too, of so few images that it is larger than in papers"
    add("--fid", action="store_true", help=f"{fid} (extra 'fid', and a connection the first time)")
    each = "10,000, or 1,000 where no evaluator knows the data, divided by the classes, but no fewer than 10"
    add("--per-class", type=int, metavar="N", help=f"images of each class, 2 or more (default {each})")

    add = command("export", commands.export, "write a run's generator for use without this package")
    add("run", help="a run's name or folder")
    forms = (
        "a .keras, for Keras 3.8 or newer; an .onnx, for other runtimes (extra 'onnx'); a .tflite, for LiteRT (needs "
        "TensorFlow); a new folder, without an ending, for the Hugging Face Hub (extra 'onnx')"
    )
    add("file", type=expanded, metavar="FILE", help=forms)
    types = "type of the labels in an .onnx file (default int32; ncnn's converter needs int64)"
    add("--label-type", choices=("int32", "int64"), default="int32", help=types)

    add = command("demo", commands.demo, "draw ten images of every class into one picture")
    add("--run", default="modelo_6_cifar10_v1", help="a run's name or folder (default modelo_6_cifar10_v1)")
    return main


def main(arguments=None):
    """Exit code 0: done, or stopped by --minutes with a run to show; 2: bad input or a training that failed, said in
    one sentence; 130: stopped by Ctrl-C, or by --minutes before there was a run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows no × shows a question mark
            stream.reconfigure(errors="replace")
    with unbroken() as streams:
        code = _answer(arguments)
        sys.stdout.flush()
        error = streams[0].error
        if error and not isinstance(error, BrokenPipeError):  # of the latter, whoever reads wanted no more
            print(f"cgan: Not all could be printed ({error.strerror}).", file=sys.stderr)
            listing = not code and (arguments or sys.argv[1:])[:1] == ["list"]  # which does nothing else
            code = 2 if listing else code
    return code


def _answer(arguments):
    try:
        args = parser().parse_args(arguments)
        return args.function(args) or 0
    except CganError as error:
        print(f"cgan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # what the system refuses: a folder that can't be written, a disk that is full
        reason = error.strerror or one_line(error)
        place = f"{error.filename} can't be read or written ({reason}); choose another, or make room."
        print(f"cgan: {place if error.filename else f'The system refused it ({reason}).'}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
