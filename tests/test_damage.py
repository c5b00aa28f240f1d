"""A run folder, damaged in sixty ways: each is answered by one sentence, or changes no picture. Never a traceback."""

import random
import re
import shutil

import numpy as np
import pytest

from cgan_utils import Run
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
    folder = tmp_path / "tiny_digits"
    shutil.copytree(run.path, folder)
    done = damage(folder, random.Random(seed))
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


def test_what_was_read_is_kept(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    opened = Run(tmp_path / "copy")
    before = opened.evolution
    shutil.rmtree(tmp_path / "copy" / "evolution")
    assert opened.evolution is before
