"""A person opens 00_generate in JupyterLab, runs the last cell, chooses another class, and sees another picture."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from browser import CHROMIUM

if not CHROMIUM:
    pytest.skip("no Chromium on this machine", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "artifacts" / "explorer.png"
TOKEN = "test"
PATIENCE = 180  # seconds: a busy machine may need a minute to load TensorFlow
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PROMPTING = ["@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"]


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab on a copy of the notebooks, with a home folder and settings of its own."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    page_config = tmp_path / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"disabledExtensions": dict.fromkeys(PROMPTING, True)}), encoding="utf-8")
    own = {"HOME": "", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    environment = {**os.environ, "CGAN_HOME": str(ROOT), **{name: str(tmp_path / own[name]) for name in own}}
    port, log = free_port(), tmp_path / "log.txt"
    options = f"""--no-browser --allow-root --ServerApp.ip=127.0.0.1 --ServerApp.port={port} --ServerApp.port_retries=0
        --IdentityProvider.token={TOKEN} --LabApp.extension_manager=readonly""".split()
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], cwd=tmp_path, env=environment, stdout=output, stderr=output
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, log)
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks"
        finally:
            end(server)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url, server, log):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def end(server):
    server.terminate()  # it ends its kernels, too
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture
def page():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(PATIENCE * 1000)
            yield page
            page.screenshot(path=PICTURE)  # of a failure, too
        finally:
            browser.close()


def run_last_cell(page):
    """With the keyboard, as a person would; returns the cell."""
    cells = page.locator(".jp-Notebook .jp-Cell")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # the status bar's word for a kernel that answers
    cells.first.locator(".jp-InputPrompt").click()
    for _ in json.loads((ROOT / "notebooks" / "00_generate.ipynb").read_text(encoding="utf-8"))["cells"][1:]:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+Enter")
    cells.last.get_by_text("[1]:").wait_for()  # this kernel ran nothing else; the kept outputs are gone
    return cells.last


def picture(cell):
    """The bytes behind the explorer's picture, in hexadecimal, as the browser holds them."""
    return cell.locator("img:visible").evaluate(
        """async image => {
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
        }"""
    )


def test_choosing_another_class_draws_another_picture(lab, page):
    api = lab.replace("/lab/tree/notebooks", "/api")
    page.goto(f"{lab}/00_generate.ipynb?token={TOKEN}")
    cell = run_last_cell(page)
    dropdown = cell.get_by_label("Class", exact=True)
    pictures = []
    for name, choose in (
        ("horse", lambda: None),
        ("frog", lambda: dropdown.select_option(label="frog")),
        ("truck", lambda: dropdown.press("End")),  # with the keyboard
    ):
        choose()
        cell.get_by_text(f"class {name}, seed").wait_for()  # the caption follows the picture
        pictures.append(picture(cell))
        assert dropdown.evaluate("select => select.selectedOptions[0]?.label") == name
    assert all(bytes.fromhex(png).startswith(b"\x89PNG") for png in pictures)
    assert len(set(pictures)) == 3

    # The next day: the notebook was saved, and its kernel has ended.
    page.keyboard.press("Control+s")
    page.wait_for_timeout(3000)
    with urllib.request.urlopen(f"{api}/sessions?token={TOKEN}") as answer:
        [session] = json.load(answer)
    ended = urllib.request.Request(f"{api}/sessions/{session['id']}?token={TOKEN}", method="DELETE")
    urllib.request.urlopen(ended).close()
    page.goto(f"{lab}/00_generate.ipynb?token={TOKEN}&reset")
    cell = page.locator(".jp-Notebook .jp-Cell").last
    cell.locator("img:visible").wait_for()
    assert picture(cell) == pictures[-1]
