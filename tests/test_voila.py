"""Voilà shows notebook 00 as a page without code; it is no dependency, so this runs where somebody has it."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("voila", reason="voila is not installed, and nothing else here needs it")
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "00_generate.ipynb"
PATIENCE = 180  # seconds


def test_the_explorer_is_a_page_of_its_own(tmp_path):
    from test_browser import end, free_port

    shutil.copy(NOTEBOOK, tmp_path)
    port, log = free_port(), tmp_path / "log.txt"
    command = [sys.executable, "-m", "voila", NOTEBOOK.name, "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    environment = {**os.environ, "CGAN_HOME": str(NOTEBOOK.parent.parent)}
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        page = fetched(f"http://127.0.0.1:{port}/", server, log)
    finally:
        end(server)
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "from cgan_utils import explore" not in page  # the code is hidden
    assert "Traceback" not in page


def fetched(url, server, log):
    """The page, once the server answers and the notebook has run."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=PATIENCE).read().decode()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"Voilà did not answer: {log.read_text(encoding='utf-8')[-2000:]}")
