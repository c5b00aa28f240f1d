"""Folders of pictures, and a machine on which there are no data."""

import pytest
from painting import paint

from cgan_utils.data import datasets, pictures


@pytest.fixture
def nothing_at_hand(monkeypatch, tmp_path):
    """No file of any data set on this machine, and no network."""
    monkeypatch.delenv("CGAN_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "fetch", lambda *_: pytest.fail("a download was tried"))
    return tmp_path


@pytest.fixture
def data_dir(nothing_at_hand, monkeypatch):
    folder = nothing_at_hand / "data"
    folder.mkdir()
    monkeypatch.setenv("CGAN_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CGAN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded, in order."""
    names, decode = [], pictures.read
    monkeypatch.setattr(pictures, "read", lambda path, *look: [names.append(path.name), decode(path, *look)][1])
    return names


@pytest.fixture
def flat(tmp_path):
    """Twenty-five pictures of different sizes in one folder."""
    for i in range(25):
        paint(tmp_path / "flowers" / f"{i:02}.png", i, width=30 + i, height=50 - i)
    return tmp_path / "flowers"


@pytest.fixture
def classes(tmp_path):
    """Two classes, of 12 and 21 pictures."""
    for name, count in (("rose", 21), ("iris", 12)):
        for i in range(count):
            paint(tmp_path / "kinds" / name / f"{i:02}.jpg", len(name) + i)
    return tmp_path / "kinds"
