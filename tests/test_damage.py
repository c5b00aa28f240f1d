"""A run folder, damaged in sixty ways: each is answered by one sentence, or changes no picture. Never a traceback."""

import json
import random
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from cgan_utils import Run
from cgan_utils.__main__ import main
from cgan_utils.errors import CganError

DAMAGES = 60


def flip(content, chance):
    """Some bytes changed."""
    content = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] ^= chance.randint(1, 255)
    return bytes(content)


def cut(content, chance):
    return content[: chance.randrange(len(content))]


def empty(content, chance):
    return b""


def other_number(content, chance):
    """One number of a text replaced by one that makes no sense."""
    places = list(re.finditer(rb"\d+(\.\d+)?", content))
    if not places:
        return content
    place = chance.choice(places)
    return content[: place.start()] + chance.choice((b"0", b"-1", b"1e9", b'"x"', b"null")) + content[place.end() :]


def lost_word(content, chance):
    """One word of a text replaced by another."""
    places = list(re.finditer(rb"[A-Za-z_]{3,}", content))
    if not places:
        return content
    place = chance.choice(places)
    return content[: place.start()] + b"zzz" + content[place.end() :]


def damage(folder, chance):
    """Damage one file of a folder; returns what was done."""
    file = chance.choice(sorted(file for file in folder.rglob("*") if file.suffix != ".md" and file.is_file()))
    text = (other_number, lost_word) if file.suffix in (".json", ".csv") else ()
    how = chance.choice((flip, cut, empty, "delete", "swap", *text))
    if how == "delete":
        file.unlink()
    elif how == "swap":
        another = chance.choice(sorted(other for other in folder.rglob("*") if other.is_file() and other != file))
        one, two = file.read_bytes(), another.read_bytes()
        file.write_bytes(two), another.write_bytes(one)
    else:
        file.write_bytes(how(file.read_bytes(), chance))
    return f"{file.relative_to(folder)}: {getattr(how, '__name__', how)}"


def copied(run, folder):
    """A copy of a run without the times and the machine, which differ each time: a number is always the same damage."""
    shutil.copytree(run.path, folder)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["training"] |= {"seconds_per_epoch": 1.5, "machine": "any"}
    (folder / "run.json").write_text(json.dumps(record | {"versions": {"python": "3.12"}}, indent=1), encoding="utf-8")
    table = pd.read_csv(folder / "history.csv").assign(seconds=1.5)
    table.to_csv(folder / "history.csv", index=False, lineterminator="\n")


USES = {
    "history": lambda run: run.history,
    "losses": lambda run: run.losses,
    "metrics": lambda run: run.metrics,
    "evolution": lambda run: run.evolution,
    "picture": lambda run: run.generate(run.class_names[3], range(2)),
}


@pytest.mark.parametrize("seed", range(DAMAGES))
def test_a_damaged_run_gets_a_sentence_or_draws_the_same(run, seed, tmp_path, monkeypatch):
    expected = run.generate("3", range(2))
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    folder = tmp_path / "runs" / "tiny_digits"
    copied(run, folder)
    done = damage(folder, random.Random(seed))
    assert main(["list"]) == main(["list", "--json"]) == 0, done
    try:
        opened = Run(folder)
    except CganError as error:
        assert "\n" not in str(error), done
        return
    for name, use in USES.items():
        try:
            result = use(opened)
        except CganError as error:
            assert "\n" not in str(error), done
        else:
            if name == "picture":
                np.testing.assert_array_equal(result, expected, err_msg=done)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("parameters", "generator", None),
        ("parameters", "discriminator", "many"),
        ("data", "name", None),
        ("data", "title", ["a"]),
        ("training", "epochs", "two"),
        ("training", "epochs", None),
    ],
)
def test_one_damaged_record_does_not_keep_the_other_runs_from_the_list(
    part, field, value, run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    for name in ("sound", "damaged"):
        copied(run, tmp_path / "runs" / name)
    file = tmp_path / "runs" / "damaged" / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record[part] = {**record[part], field: value} if value else {k: v for k, v in record[part].items() if k != field}
    file.write_text(json.dumps(record), encoding="utf-8")
    assert main(["list"]) == 0
    out, err = capsys.readouterr()
    assert "\nsound " in out and "\ndamaged " not in out
    assert err.count("\n") == 1 and str(file) in err


def test_what_was_read_is_kept(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    opened = Run(tmp_path / "copy")
    before = opened.evolution
    shutil.rmtree(tmp_path / "copy" / "evolution")
    assert opened.evolution is before
