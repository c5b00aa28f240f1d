"""Trains a list of experiments on a machine that is there for minutes only, and packs what came of it.

    python studies/train_list.py LIST --minutes 9 --out FOLDER [--together 2]

LIST is a text file; each line holds what stands behind `cgan train`, such as: modelo_5_cifar100_v1 --epochs 25
Trainings start in this order, so many at once: one compiles and draws while the other computes.

Started again with the same folder, it goes on from the checkpoints there. It ends in time: every training is told to
stop after the minutes that are left, and then each run is packed into FOLDER/packed/NAME.tgz.00, .01, … of 16 MB at
most, to be put together by `cat NAME.tgz.* | tar xz`. With --checkpoints their checkpoints are packed, too.
"""

import argparse
import io
import shlex
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from cgan_utils.training.places import finished, taken

PIECE = 16 * 2**20 - 1


def words(line):
    """The words of a line as a shell takes them, but for the backslash: Windows has it in its paths."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.escape = True, ""
    return list(lexer)


def read(file):
    """The lines of the list as arguments of `cgan train`; what follows a # is a remark."""
    lines = [words(line) for line in file.read_text(encoding="utf-8").splitlines()]
    trainings = [line for line in lines if line]
    if wrong := [line for line in trainings if line[0].startswith("-") or "--out" in line]:
        sys.exit(f"A line of {file} begins with an option or has --out: {' '.join(wrong[0])}; begin with a name.")
    names = [line[0] for line in trainings]
    if len(set(names)) < len(names):
        sys.exit(f"{file} names an experiment twice; each can be trained once in a folder.")
    return trainings


def start(training, folder, minutes):
    """`cgan train` in a process of its own, which writes what it says into FOLDER/NAME.log."""
    name, out = training[0], folder / training[0]
    more = ["--resume"] if taken(out) else []
    command = [sys.executable, "-P", "-m", "cgan_utils", "train", *training, "--out", str(out), *more]
    with (folder / f"{name}.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen([*command, "--minutes", f"{minutes:.3f}"], stdout=log, stderr=log)


def train(trainings, folder, end, together, reserve):
    """Start what is waiting while there is room and time; returns {name: exit code}, None for what never began."""
    waiting, running, codes = list(trainings), {}, {training[0]: None for training in trainings}
    while waiting or running:
        for name, process in list(running.items()):
            if process.poll() is None and time.monotonic() > end + reserve:
                process.kill()  # its last checkpoint stays
                process.wait()
            if process.poll() is not None:
                codes[name] = process.returncode
                del running[name]
        if time.monotonic() > end:
            waiting = []
        elif waiting and len(running) < together:
            training = waiting.pop(0)
            running[training[0]] = start(training, folder, (end - time.monotonic()) / 60)
        time.sleep(0.2)
    return codes


def pack(name, folder, checkpoints):
    """FOLDER/packed/NAME.tgz.00, …; nothing for a training that left no run."""
    parts = [folder / name, *([folder / f"{name}.checkpoint"] if checkpoints else [])]
    if not parts[0].exists():
        return 0
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for part in filter(Path.exists, parts):
            archive.add(part, part.name)
    (folder / "packed").mkdir(exist_ok=True)
    content = content.getvalue()
    for old in (folder / "packed").glob(f"{name}.tgz.*"):
        old.unlink()
    for i, begin in enumerate(range(0, len(content), PIECE)):
        (folder / "packed" / f"{name}.tgz.{i:02d}").write_bytes(content[begin : begin + PIECE])
    return len(content)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path)
    parser.add_argument("--minutes", type=float, required=True, help="after which all of it has ended")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--together", type=int, default=2, metavar="N", help="trainings at once (default 2)")
    parser.add_argument("--checkpoints", action="store_true", help="pack the checkpoints, too")
    parser.add_argument("--reserve", type=float, default=20, metavar="S", help="to save and to pack, each (default 20)")
    args = parser.parse_args(arguments)
    if not args.list.is_file():
        sys.exit(f"There is no file {args.list}; write a line per training into it.")
    trainings, seconds = read(args.list), 60 * args.minutes - 2 * args.reserve
    if seconds <= 0 or args.together < 1:
        least = f"{2 * args.reserve:g} seconds in which all is saved"
        sys.exit(f"Give --together at least 1, and --minutes more than the {least}.")
    end = time.monotonic() + seconds
    args.out.mkdir(parents=True, exist_ok=True)
    codes = train(trainings, args.out, end, args.together, args.reserve)
    words = {0: "stopped in time", 130: "stopped in time", None: "never began"}
    for name, code in codes.items():
        size = pack(name, args.out, args.checkpoints)
        said = "complete" if code == 0 and finished(args.out / name) else words.get(code)
        print(f"{name}: {said or f'failed, see {args.out / name}.log'}, {size / 1e6:.1f} MB packed")
    return int(any(code not in words for code in codes.values()))


if __name__ == "__main__":
    sys.exit(main())
