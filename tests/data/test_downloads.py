"""Fetching and reading the original files, against a small server on this machine."""

import hashlib
import io
import os
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from sentences import is_one_sentence

from cgan_utils.data import sources as downloads
from cgan_utils.data.sources import SOURCES, DataError, RemoteFile, fetch, naming

CONTENT = np.random.RandomState(0).bytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/good, /deaf (ignores Range), /wrong (other bytes), /cut (ends early), /flaky (500 once), or a 404."""

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        body = b"nonsense" if self.path == "/wrong" else CONTENT
        if self.path == "/flaky" and self.server.requests.count((self.path, asked)) == 1:
            return self.send_error(500)
        if self.path not in ("/good", "/deaf", "/wrong", "/cut", "/flaky"):
            return self.send_error(404)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.path != "/deaf" else 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + 1000] if self.path == "/cut" else body[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True).start()
        yield server
        server.shutdown()


def remote(server, *paths, sha256=DIGEST):
    return RemoteFile("mnist", "mnist.bin", sha256, tuple(server.url + path for path in paths))


def no_wait(seconds):
    pass


def test_a_file_is_fetched_once(server, tmp_path):
    folder = tmp_path / "new" / "folder"
    path = fetch(remote(server, "/good"), folder)
    assert path.read_bytes() == CONTENT
    assert os.listdir(folder) == ["mnist.bin"]
    assert fetch(remote(server, "/good"), folder) == path
    assert len(server.requests) == 1


def test_a_partial_download_is_resumed(server, tmp_path):
    (tmp_path / "mnist.bin.part").write_bytes(CONTENT[:1234])
    assert fetch(remote(server, "/good"), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/good", "bytes=1234-")]


def test_what_another_process_is_fetching_is_not_touched_until_it_has_rested(server, tmp_path):
    other = tmp_path / "mnist.bin.1.part"
    other.write_bytes(CONTENT[:1234])
    assert fetch(remote(server, "/good"), tmp_path).read_bytes() == CONTENT
    assert other.read_bytes() == CONTENT[:1234] and server.requests == [("/good", None)]
    (tmp_path / "mnist.bin").unlink()
    os.utime(other, (0, 0))  # as of a process that was killed long ago
    assert fetch(remote(server, "/good"), tmp_path).read_bytes() == CONTENT
    assert server.requests[1:] == [("/good", "bytes=1234-")]
    assert os.listdir(tmp_path) == ["mnist.bin"]


def test_a_server_without_ranges_starts_again(server, tmp_path):
    (tmp_path / "mnist.bin.part").write_bytes(CONTENT[:1234])
    assert fetch(remote(server, "/deaf"), tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_part_that_is_already_whole_is_used(server, tmp_path):
    (tmp_path / "mnist.bin.part").write_bytes(CONTENT)
    assert fetch(remote(server, "/good"), tmp_path).read_bytes() == CONTENT


def test_a_download_cut_short_goes_on_at_the_next_mirror(server, tmp_path):
    assert fetch(remote(server, "/cut", "/good"), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/cut", None), ("/good", "bytes=1000-")]


def test_a_mirror_with_other_contents_is_left_for_the_next(server, tmp_path):
    assert fetch(remote(server, "/wrong", "/good"), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/wrong", None), ("/good", None)]


def test_only_wrong_mirrors_leave_nothing_behind(server, tmp_path):
    with pytest.raises(DataError, match="not the original") as error:
        fetch(remote(server, "/wrong"), tmp_path, sleep=no_wait)
    assert is_one_sentence(error)
    assert server.requests == [("/wrong", None)]
    assert os.listdir(tmp_path) == []


def test_a_wrong_file_in_place_is_replaced(server, tmp_path):
    (tmp_path / "mnist.bin").write_bytes(b"half a fi")
    assert fetch(remote(server, "/good"), tmp_path).read_bytes() == CONTENT


def test_a_wrong_file_in_place_is_named_when_nothing_replaces_it(server, tmp_path):
    (tmp_path / "mnist.bin").write_bytes(b"half a fi")
    with pytest.raises(DataError, match="mnist.bin: not the original"):
        fetch(remote(server, "/missing"), tmp_path, sleep=no_wait)


def test_a_missing_file_is_asked_for_once_and_a_server_error_again(server, tmp_path):
    pauses = []
    path = fetch(remote(server, "/missing", "/flaky"), tmp_path, sleep=pauses.append)
    assert path.read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/missing", "/flaky", "/flaky"]
    assert pauses == [2]


def test_a_slow_mirror_is_left_for_the_next_but_used_when_it_is_the_only_one(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    monkeypatch.setattr(downloads, "SLOW", 10**15)
    with pytest.raises(OSError, match="slower than"):
        list(downloads._chunks(io.BufferedReader(io.BytesIO(CONTENT)), floor=10**15))
    assert fetch(remote(server, "/good"), tmp_path / "one").read_bytes() == CONTENT
    assert fetch(remote(server, "/good", "/good"), tmp_path / "two", sleep=no_wait).read_bytes() == CONTENT


def test_no_network_says_what_to_do(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    file = RemoteFile("mnist", "mnist.npz", DIGEST, (f"http://127.0.0.1:{port}/good",))
    pauses = []
    with pytest.raises(DataError) as error:
        fetch(file, tmp_path, sleep=pauses.append)
    assert is_one_sentence(error)
    assert pauses == [2, 4]
    for hint in ("data set mnist ", "mnist.npz", str(tmp_path), "CGAN_DATA_DIR", "stand_in=True"):
        assert hint in str(error.value)


def test_a_folder_that_cannot_be_written_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError) as error:
        fetch(remote(server, "/good"), tmp_path / "file", sleep=no_wait)
    assert is_one_sentence(error)


def test_progress_is_shown_to_a_person_only(server, tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    fetch(remote(server, "/good"), tmp_path / "log")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch(remote(server, "/good"), tmp_path / "silent", progress=False)
    assert capsys.readouterr().err == ""
    fetch(remote(server, "/good"), tmp_path / "seen")
    assert capsys.readouterr().err.endswith("\rmnist.bin: 0.3 of 0.3 MB\n")


def test_sources_are_complete():
    assert [file.dataset for file in SOURCES] == ["mnist", *["fashion_mnist"] * 4, "cifar10", "cifar100"]
    for file in SOURCES:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert len(file.urls) >= 2
        assert all(url.startswith("http") and url.endswith(f"/{file.name}") and "{" not in url for url in file.urls)


def test_naming_gives_one_sentence_for_any_failure():
    with pytest.raises(DataError, match="picture.png") as error, naming("picture.png"):
        raise ValueError("two\nlines.")
    assert is_one_sentence(error)
