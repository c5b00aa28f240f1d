"""Archives in place of folders: the names in them, what they hold, versions of them, the place they need."""

import os
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from painting import paint
from sentences import is_one_sentence

from cgan_utils import paths
from cgan_utils.data import archives
from cgan_utils.data.datasets import earlier, load
from cgan_utils.data.folders import prepare
from cgan_utils.data.sources import DataError

pytestmark = pytest.mark.usefixtures("cache")


def packed(target, names):
    """A .zip of pictures, each one different, under these names."""
    with zipfile.ZipFile(target, "w") as archive:
        for i, name in enumerate(names):
            paint(target.parent / "one.png", i)
            archive.write(target.parent / "one.png", name)
    return target


def test_colons_in_names_are_masked(tmp_path):
    names = ["cats/shot 10:30.png", "cats/shot 10_30.png", "dogs/what?.png", "dogs/1.png", "dogs\\C:1.png"]
    colons = packed(tmp_path / "colons.zip", names)
    plain = packed(tmp_path / "plain.zip", ["cats/1.png", "cats/2.png", "dogs/what_.png", "dogs/1.png", "dogs/C_1.png"])
    assert load(colons, size=8).fingerprint == load(plain, size=8).fingerprint


class Unmarked(zipfile.ZipInfo):
    """A member that doesn't say how its name is written."""

    encoding = "utf-8"

    def _encodeFilenameFlags(self):
        return self.filename.encode(self.encoding), self.flag_bits & ~archives.UTF8


@pytest.mark.parametrize(
    ("form", "encoding"), [("NFC", "utf-8"), ("NFD", "utf-8"), ("NFC", "cp850"), ("NFD", None)], ids=str
)
def test_a_name_with_an_accent_is_read_whatever_wrote_it(form, encoding, tmp_path, monkeypatch):
    """From a Mac, from Windows in Spain, and from what says that it writes UTF-8."""
    monkeypatch.setattr(Unmarked, "encoding", encoding)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for i, name in enumerate(["niño/1.png", "niño/2.png", "Árbol/3.png", "Árbol/4.png"]):
            member = (Unmarked if encoding else zipfile.ZipInfo)(unicodedata.normalize(form, name))
            paint(tmp_path / "one.png", i)
            archive.writestr(member, (tmp_path / "one.png").read_bytes())
    assert load(tmp_path / "photos.zip", size=8).class_names == ("niño", "Árbol")


def test_two_that_unpack_an_archive_at_once_do_not_meet(tmp_path):
    archive = packed(tmp_path / "pets.zip", [f"{kind}/{i}.png" for kind in ("cats", "dogs") for i in range(60)])
    with ThreadPoolExecutor(4) as several:
        folders = set(several.map(archives.opened, [archive] * 4))
    assert [len(list(folder.rglob("*.png"))) for folder in folders] == [120]
    assert [path.name for path in folders.pop().parent.iterdir()] == ["pets"]  # and nothing is left over


def test_old_copies_of_an_archive_go(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "IN_USE", -1)
    mine = paths.cache_dir() / "zips" / "mine.zip"
    mine.parent.mkdir(parents=True)
    mine.write_text("not of this program")
    folders = [archives.opened(packed(tmp_path / f"{i}.zip", ["cats/1.png", "dogs/1.png"])) for i in range(5)]
    assert [folder.is_dir() for folder in folders] == [False, False, True, True, True] and mine.exists()


def test_a_copy_of_an_archive_that_is_open_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "IN_USE", -1)
    replace, held = os.replace, []

    def refuse(source, target):
        if source in held:
            raise PermissionError(13, "in use", str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    first = archives.opened(packed(tmp_path / "first.zip", ["cats/1.png", "dogs/1.png"]))
    held.append(first.parent)
    for i in range(4):
        archives.opened(packed(tmp_path / f"{i}.zip", ["cats/1.png", "dogs/1.png"]))
    assert len(list(first.rglob("*.png"))) == 2


def test_what_an_earlier_version_unpacked_is_unpacked_anew(tmp_path, monkeypatch):
    archive = packed(tmp_path / "pets.zip", ["cats/1.png", "cats/2.png", "dogs/1.png"])
    before = archives.opened(archive)
    assert archives.opened(archive) == before
    monkeypatch.setattr(archives, "VERSION", archives.VERSION + 1)
    assert archives.opened(archive) != before


@pytest.mark.parametrize("name", ["C:/out.png", "c:out.png", "C:\\out.png"])
def test_a_drive_leads_out(name, tmp_path):
    with pytest.raises(DataError, match="leads out of it") as error:
        load(packed(tmp_path / "drive.zip", [name]))
    assert is_one_sentence(error)


def test_of_a_name_that_is_there_twice_the_last_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = packed(tmp_path / "twice.zip", ["0.png", "1.png", "0.png"])
    prepared = prepare(archive, 8)
    paint(tmp_path / "last" / "0.png", 2)
    np.testing.assert_array_equal(prepared.images[0], prepare(tmp_path / "last", 8).images[0])
    assert prepared.files == 2


def test_pictures_in_it_that_cannot_be_read_here_are_counted(tmp_path):
    archive = packed(tmp_path / "pets.zip", ["0.png", "1.png", "2.heic", "3.txt"])
    assert prepare(archive, 8).report == "1 picture in the form .heic can't be read here; save it as .jpg."


@pytest.mark.parametrize("within", ["", "pets/"])
def test_earlier_versions_of_an_archive_are_found(within, tmp_path):
    names = [f"{within}{name}/{i}.png" for name in ("cats", "dogs") for i in range(3)]
    before = load(packed(tmp_path / "pets.zip", names), size=8)
    after = load(packed(tmp_path / "pets.zip", [*names, f"{within}dogs/3.png"]), size=8)
    assert len(after.x_train) == len(before.x_train) + 1
    assert before.fingerprint in [version.fingerprint for version in earlier(after)]


@pytest.mark.parametrize("number", [28, 30], ids=["full", "read-only"])
def test_a_cache_without_room_is_one_sentence(number, tmp_path, monkeypatch):
    archive = packed(tmp_path / "pets.zip", ["0.png", "1.png"])

    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("shutil.copyfileobj", refused)
    with pytest.raises(DataError, match="cannot be unpacked into .*cache .*let CGAN_CACHE_DIR name another") as error:
        load(archive)
    assert is_one_sentence(error)
    assert not list((tmp_path / "cache").rglob("*.png"))


def test_a_damaged_archive_is_not_blamed_on_the_cache(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be unpacked .File is not a zip file.; unpack it yourself") as error:
        load(tmp_path / "pets.zip")
    assert is_one_sentence(error)
