"""The page, built once, and a browser that visits it."""

import importlib
import importlib.util
import json
import subprocess
import sys

import pytest
from browser import CHROMIUM, served
from looking import BUILT, ROOT


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """What runs.json says, of a page built from the files as they are; once, however many processes test it."""
    if not (ROOT / "page" / "node_modules").is_dir():
        pytest.skip("the page's packages are not here; `make page` fetches them")
    if missing := [name for name in ("torch", "onnx", "onnxscript") if not importlib.util.find_spec(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed, of the extra 'page'")
    from filelock import FileLock  # which PyTorch brings along

    # The folder of one process, or the one around the folders of all.
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with FileLock(shared / "page.lock"):
        if not (shared / "page_is_built").exists():
            subprocess.run([sys.executable, ROOT / "tools" / "page.py"], check=True, capture_output=True, timeout=300)
            (shared / "page_is_built").touch()
    return json.loads((BUILT / "runs.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def address(built):
    with served(BUILT) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Opens the page at `#…` in a window of its own and returns it when it drew.

    There is no service worker unless `keep`; `before` is called with the page, still empty.
    """
    contexts = []

    def open_(fragment="", keep=False, before=None, wait="body[data-drawn]", at=address, **options):
        workers = "allow" if keep else "block"
        contexts.append(browser.new_context(service_workers=workers, locale=options.pop("locale", "en"), **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(90_000)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        if before:
            before(page)
        page.goto(at + (f"#{fragment}" if fragment else ""))
        page.wait_for_selector(wait)
        return page

    yield open_
    for context in contexts:
        context.close()
