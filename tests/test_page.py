"""The web page in a real browser: the same pictures as Python's, and a sentence for whatever goes wrong."""

import hashlib
import importlib
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from browser import CHROMIUM, served
from PIL import Image

from cgan_utils.results.run import Run

ROOT = Path(__file__).parent.parent
SOURCE, BUILT = ROOT / "page" / "src", ROOT / "page" / "dist"
DIGITS = "run=modelo_1_mnist_v2"  # the smallest network
PIXELS = """canvas => {
    const {width, height} = canvas;
    return [height, width, ...canvas.getContext("2d").getImageData(0, 0, width, height).data];
}"""

KEPT = """async () => {
    await navigator.serviceWorker.ready;
    const models = await caches.open("cgan-page / models");
    for (let i = 0; i < 100 && !(await models.keys()).length; i++) await new Promise(done => setTimeout(done, 100));
    return (await models.keys()).map(request => request.url);
}"""


@pytest.fixture(scope="module")
def built():
    """What runs.json says, of a page built from the files as they are."""
    if not (ROOT / "page" / "node_modules").is_dir():
        pytest.skip("the page's packages are not here; `make page` fetches them")
    if missing := [name for name in ("torch", "onnx", "onnxscript") if not importlib.util.find_spec(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed, of the extra 'page'")
    subprocess.run([sys.executable, ROOT / "tools" / "page.py"], check=True, capture_output=True, timeout=300)
    return json.loads((BUILT / "runs.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
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

    def open_(fragment="", keep=False, before=None, wait="body[data-drawn]", **options):
        workers = "allow" if keep else "block"
        contexts.append(browser.new_context(service_workers=workers, locale=options.pop("locale", "en"), **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(90_000)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        if before:
            before(page)
        page.goto(address + (f"#{fragment}" if fragment else ""))
        page.wait_for_selector(wait)
        return page

    yield open_
    for context in contexts:
        context.close()


def pixels(locator):
    """uint8 [H, W, 3] of a canvas."""
    height, width, *values = locator.evaluate(PIXELS)
    return np.array(values, "uint8").reshape(height, width, 4)[..., :3]


def tiles(page):
    return np.stack(
        [pixels(page.locator("#tiles canvas").nth(i)) for i in range(page.locator("#tiles canvas").count())]
    )


def drawn(page, **chosen):
    """Waits until the page has drawn what is chosen."""
    said = "".join(f'[data-drawn*="{key}={value}"]' for key, value in chosen.items())
    page.wait_for_selector(f"body{said}")


def same(found, run, labels, seeds):
    """Within one grey level of what Python draws."""
    wanted = run.draw(labels, seeds).astype(int)
    found = found.reshape(len(wanted), *found.shape[-3:])
    return np.abs(found - wanted).max() <= 1


def message(page):
    return page.locator("#message > span").inner_text() if page.locator("#message").is_visible() else ""


def test_seeds_mean_what_they_mean_in_numpy():
    if not shutil.which("node"):
        pytest.skip("no Node on this machine")
    seeds = [0, 1, 7, 4294967295]
    script = f"""import {{ latent }} from "{(SOURCE / "random.js").as_uri()}";
        console.log(JSON.stringify({seeds}.map(seed => Array.from(latent(seed, 1001)))))"""
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    wanted = [np.random.RandomState(seed).standard_normal(1001).astype("float32") for seed in seeds]
    np.testing.assert_allclose(json.loads(done.stdout), wanted, rtol=1e-6)


def test_every_network_draws_what_python_draws(built, visit):
    page = visit(DIGITS)
    assert sum(run["bytes"] for run in built["runs"]) < 60e6
    for entry in built["runs"]:
        run, label = Run(entry["name"]), len(entry["classes"]) * 2 // 3
        name = entry["classes"][label]
        page.evaluate("hash => location.hash = hash", f"#run={run.name}&class={name}&seed=41&count=4")
        drawn(page, run=run.name, seed=41)
        assert same(tiles(page), run, [label] * 4, range(41, 45)), run.name
    assert page.complaints == []


def test_a_person_chooses_shares_and_comes_back(visit, address):
    asked, run = [], Run("modelo_1_mnist_v2")
    page = visit(DIGITS, before=lambda page: page.on("request", lambda request: asked.append(request.url)))
    page.locator("#classes label", has_text="7").click()
    drawn(page, **{"class": 7})
    page.locator("#seed").fill("123")
    page.locator("#seed").press("Enter")
    drawn(page, seed=123)
    page.locator("#count").select_option("16")
    drawn(page, count=16)
    shown = tiles(page)
    assert same(shown, run, [7] * 16, range(123, 139))
    page.locator("#tiles button").nth(5).hover()
    assert page.locator("#pictures figcaption").inner_text() == "7, seed 128"
    assert (pixels(page.locator("#pictures figure canvas")) == shown[5]).all()
    link = page.url
    assert parse_qs(urlsplit(link).fragment) == {"run": [run.name], "class": ["7"], "seed": ["123"], "count": ["16"]}
    page.reload()
    drawn(page, seed=123)
    assert (tiles(page) == shown).all()
    page.locator("#fresh").click()
    page.wait_for_selector('body:not([data-drawn*="seed=123&"])')
    assert page.url != link and (tiles(page) != shown).any()
    assert all(url.startswith((address, "blob:")) for url in asked)


def test_the_walk_begins_and_ends_at_the_two_pictures(visit):
    page, run = visit(f"{DIGITS}&class=3&seed=5"), Run("modelo_1_mnist_v2")
    page.locator("#end-class").select_option("8")
    page.locator("#end-seed").fill("9")
    page.locator("#end-seed").press("Enter")
    between, found = page.locator("#between"), {}
    for way in (0, 50, 100):
        page.locator("#way").fill(str(way))
        page.wait_for_selector(f'#between[data-shown="8 9 {way}"]')
        found[way] = pixels(between)
    assert same(found[0], run, [3], [5])
    assert same(found[100], run, [8], [9])
    assert np.abs(found[50].astype(int) - found[0]).mean() > 3 < np.abs(found[50].astype(int) - found[100]).mean()
    page.locator("#play").click()
    page.wait_for_selector('#between:not([data-shown="8 9 100"])')
    assert page.locator("#play").inner_text() == "Stop"
    page.locator("#languages button", has_text="Español").click()
    assert page.locator("#play").inner_text() == "Parar"
    page.locator("#play").click()
    assert page.locator("#play").inner_text() == "Reproducir"


def test_the_pictures_of_the_walk_have_names_in_both_languages(visit):
    page = visit("run=modelo_6_cifar10_v1&class=horse&seed=5&count=1")
    page.locator("#end-class").select_option(label="cat")
    page.locator("#way").fill("30")
    for name in ("horse, seed 5", "cat, seed 6", "30% of the way from “horse, seed 5” to “cat, seed 6”"):
        page.get_by_role("img", name=name, exact=True).and_(page.locator("#walk canvas")).wait_for()
    page.locator("#languages button", has_text="Español").click()
    for name in (
        "caballo, semilla 5",
        "gato, semilla 6",
        "30 % del camino de «caballo, semilla 5» a «gato, semilla 6»",
    ):
        page.get_by_role("img", name=name, exact=True).and_(page.locator("#walk canvas")).wait_for()


def test_png_of_all_pictures(visit):
    page, run = visit(f"{DIGITS}&class=4&seed=2&count=4"), Run("modelo_1_mnist_v2")
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "modelo_1_mnist_v2_4_2.png"
    picture = np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB"))
    assert picture.shape == (504, 504, 3)
    small = picture[4::9, 4::9]
    parts = [small[top : top + 28, left : left + 28] for top in (0, 28) for left in (0, 28)]
    assert same(np.stack(parts), run, [4] * 4, range(2, 6))


def test_what_is_not_drawn_yet_is_not_saved(visit):
    held = []  # downloads that wait
    page = visit(
        DIGITS,
        before=lambda page: page.context.route("**/*.onnx", lambda route: held.append(route)),
        wait="main:visible",
    )
    assert page.locator("#save").is_disabled() and page.locator("#tiles canvas").count() == 0
    page.locator("#play").click()  # which does nothing yet, either
    for fragment in (DIGITS, "run=modelo_1_fashion_mnist"):
        page.evaluate("hash => location.hash = hash", f"#{fragment}")
        for _ in range(200):
            page.wait_for_timeout(0 if held else 50)
        assert page.locator("#save").is_disabled()
        held.pop().continue_()
        drawn(page, **dict([fragment.split("=")]))
        assert page.locator("#save").is_enabled()
    assert page.complaints == []


def test_a_hundred_classes_are_searched_in_both_languages(visit):
    page = visit("run=modelo_6_cifar100_v1&class=bear&count=1", locale="es-MX")
    labels = page.locator("#classes div label:visible")
    assert labels.count() == 100 and page.locator("html").get_attribute("lang") == "es"
    for text, names in (("delfin", ["delfín"]), ("dolphin", ["delfín"]), ("arbol", [])):
        page.locator("#classes input[type=search]").fill(text)
        assert labels.all_inner_texts() == names
    assert "«arbol»" in page.locator("#classes > p").inner_text()
    page.locator("#classes input[type=search]").fill("tig")
    page.locator("#classes input[type=search]").press("Enter")
    drawn(page, **{"class": "tiger"})
    page.locator("#languages button", has_text="English").click()
    assert page.locator("h1").inner_text() == "Choose a class, get a new image"
    assert labels.all_inner_texts()[3] == "bear"


def test_every_class_has_a_spanish_name(built):
    text = (SOURCE / "names.js").read_text(encoding="utf-8")
    names = {name for run in built["runs"] for name in run["classes"] if not name.isdecimal()}
    assert [name for name in names if f"  {name}: " not in text and f'  "{name}": ' not in text] == []


def test_both_languages_say_everything():
    if not shutil.which("node"):
        pytest.skip("no Node on this machine")
    script = f"""import {{ languages }} from "{(SOURCE / "words.js").as_uri()}";
        const keys = words => Object.entries(words).flatMap(([k, v]) => typeof v == "object" ? keys(v) : [k]);
        console.log(JSON.stringify(Object.values(languages).map(keys)))"""
    command = ["node", "--input-type=module", "--eval", script]
    english, spanish = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert english == spanish and len(english) > 30


def test_a_link_that_is_wrong_is_said_and_something_is_drawn(visit):
    page = visit("run=nothing")
    assert "no network “nothing”" in message(page)
    assert tiles(page).std() > 10
    for wrong, said in (
        ("class=cat", "no class “cat”"),
        ("seed=-1", "“-1” is no seed"),
        ("seed=4294967296", "from 0 to 4,294,967,295"),
        ("count=1000", "“1000” is no number of pictures"),
    ):
        page.evaluate("hash => { delete document.body.dataset.drawn; location.hash = hash }", f"#{DIGITS}&{wrong}")
        drawn(page, run="modelo_1_mnist_v2")
        assert said in message(page)
        assert tiles(page).std() > 10


def test_a_seed_that_is_none_changes_nothing(visit):
    page = visit(DIGITS)
    page.locator("#seed").fill("seven")
    page.locator("#seed").press("Enter")
    assert "“seven” is no seed" in message(page)
    assert "seed=0" in page.url
    assert page.locator("#seed").get_attribute("aria-invalid") == "true"
    page.locator("#end-seed").fill("eight")
    page.locator("#end-seed").press("Enter")
    page.wait_for_selector("#end-seed[aria-invalid=true]")
    assert "“eight” is no seed" in message(page)
    page.locator("#end-seed").fill("8")
    page.locator("#end-seed").press("Enter")
    page.wait_for_selector("#end-seed[aria-invalid=false]")
    assert message(page) == ""
    page.locator("#fresh").click()
    page.wait_for_selector("#seed[aria-invalid=false]")


def test_a_download_that_breaks_off_is_said_and_tried_again(visit):
    def cut(route):
        whole = (BUILT / "models" / route.request.url.rsplit("/", 1)[1]).read_bytes()
        route.fulfill(body=whole[: len(whole) // 2])

    page = visit(DIGITS, before=lambda page: page.context.route("**/*.onnx", cut), wait="#message button:visible")
    assert "broke off after 1.2 of 2.4 MB" in message(page).replace(" MB of", " of")
    page.context.unroute("**/*.onnx")
    page.locator("#message button").click()
    page.wait_for_selector("body[data-drawn]")
    assert message(page) == ""


@pytest.mark.parametrize(
    ("file", "said"), [("*.wasm", "broke off after 0.0 MB of"), ("ort.wasm.min.mjs", "ONNX Runtime, which computes")]
)
def test_a_runtime_that_does_not_come_is_said_and_tried_again(visit, file, said):
    def cut(page):
        page.context.route(f"**/{file}", lambda route: route.abort())

    page = visit(DIGITS, before=cut, wait="#message button:visible")
    assert said in message(page)
    page.context.unroute(f"**/{file}")
    page.locator("#message button").click()
    page.wait_for_selector("body[data-drawn]")
    assert message(page) == ""


def test_a_network_that_was_only_passed_is_not_fetched(visit):
    held, given_up = [], []
    page = visit(
        DIGITS,
        before=lambda page: page.context.route("**/*.onnx", lambda route: held.append(route)),
        wait="main:visible",
    )
    page.on("requestfailed", lambda request: given_up.append(request.url))
    for run in ("modelo_1_fashion_mnist", "modelo_6_mnist", "modelo_6_cifar10_v1"):
        for _ in range(200):
            page.wait_for_timeout(0 if held else 50)
        page.evaluate("hash => location.hash = hash", f"#run={run}")
        while not given_up:
            page.wait_for_timeout(50)
    while run not in held[-1].request.url:
        page.wait_for_timeout(50)
    held[-1].continue_()
    drawn(page, run=run)
    assert "modelo_1_mnist_v2" in given_up[0]
    assert {route.request.url for route in held[:-1]} == set(given_up)
    assert message(page) == ""


def test_the_walk_outlives_quick_changes_of_the_network(built, visit):
    page = visit(DIGITS)
    page.locator("#play").click()
    for run in built["runs"]:
        page.evaluate("hash => location.hash = hash", f"#run={run['name']}")
        page.wait_for_timeout(300)
    drawn(page, run=run["name"])
    assert message(page) == "" and page.complaints == []
    assert page.locator("#play").inner_text() == "Stop"


def test_play_stop_play_is_one_walk(visit):
    page = visit(DIGITS)
    seen = page.evaluate("""async () => {
        const [way, play] = ["#way", "#play"].map(name => document.querySelector(name));
        const frame = () => new Promise(requestAnimationFrame);
        way.value = 90;
        play.click();
        for (let there = false; !there || way.value > 80; there ||= way.value > 98) await frame();
        play.click();
        play.click();
        const [seen, begun] = [[], performance.now()];
        for (; performance.now() < begun + 300; await frame()) seen.push(Number(way.value));
        return seen;
    }""")
    assert seen == sorted(seen) and seen[0] < seen[-1]


def test_a_slow_connection_is_no_reason_for_a_warning(visit):
    held = []
    page = visit(before=lambda page: page.route("**/runs.json", lambda route: held.append(route)), wait="h1")
    assert not page.locator("#message").is_visible()
    page.wait_for_selector("#message:visible")
    assert "sin JavaScript" in message(page)
    held.pop().continue_()
    page.wait_for_selector("body[data-drawn]")
    assert message(page) == ""


def test_another_file_is_not_drawn_with(visit):
    def changed(route):
        whole = bytearray((BUILT / "models" / route.request.url.rsplit("/", 1)[1]).read_bytes())
        whole[len(whole) // 2] ^= 1
        route.fulfill(body=bytes(whole))

    page = visit(DIGITS, before=lambda page: page.context.route("**/*.onnx", changed), wait="#message button:visible")
    assert "is not the one this page was built with" in message(page)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 404}, "could not be started"),
        ({"body": "throw new Error('no memory left')", "content_type": "text/javascript"}, "no memory left"),
    ],
)
def test_a_worker_that_fails_is_said_and_another_one_tried(visit, answer, said):
    def fail(route):
        asked.append(route)
        route.fulfill(**answer)

    asked = []
    page = visit(DIGITS, before=lambda page: page.context.route("**/worker.js", fail), wait="#message button:visible")
    assert said in message(page)
    tried = len(asked)
    page.wait_for_timeout(300)
    assert len(asked) == tried  # the next try is the visitor's
    page.context.unroute("**/worker.js")
    page.locator("#message button").click()
    page.wait_for_selector("body[data-drawn]")
    assert message(page) == ""


def test_the_progress_of_a_download_has_a_name(visit):
    page = visit(DIGITS)
    page.locator("#loading").evaluate("loading => loading.hidden = false")
    assert page.get_by_role("progressbar", name=page.locator("#status").inner_text()).count() == 1


def test_a_browser_that_can_not_is_told_so(visit):
    page = visit(before=lambda page: page.add_init_script("delete window.WebAssembly"), wait="#message:visible")
    assert "no WebAssembly" in message(page)


def test_after_the_first_visit_it_draws_without_a_connection(visit, built, address):
    page = visit(DIGITS, keep=True)
    assert page.evaluate(KEPT) == [address + run["file"] for run in built["runs"] if f"run={run['name']}" == DIGITS]
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    assert page.evaluate("crossOriginIsolated")  # the service worker answers, and allows several threads
    assert same(tiles(page), Run("modelo_1_mnist_v2"), [0] * 8, range(8))


def test_other_pages_of_the_same_server_keep_their_caches(visit):
    page = visit(DIGITS, keep=True)
    page.evaluate(KEPT)
    page.evaluate("""async () => {
        for (const name of ["models", "cgan-page /elsewhere/ models", "cgan-page / older"]) await caches.open(name);
        for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
    }""")
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    page.wait_for_function("async () => !(await caches.keys()).includes('cgan-page / older')")
    assert {"models", "cgan-page /elsewhere/ models", "cgan-page / models"} <= set(page.evaluate("caches.keys()"))


def test_a_kept_file_that_is_wrong_is_fetched_anew(visit, built):
    page = visit(DIGITS, keep=True)
    [file] = page.evaluate(KEPT)
    size = next(run["bytes"] for run in built["runs"] if f"run={run['name']}" == DIGITS)
    for wrong, said in ((size, "is not the one"), (size + 1, "is not the one"), (size // 2, "broke off"), (0, "broke")):
        put = "(await caches.open('cgan-page / models')).put(file, new Response(new Uint8Array(size)))"
        page.evaluate(f"async ([file, size]) => {put}", [file, wrong])
        page.reload()
        page.wait_for_selector("#message button:visible")
        assert said in message(page)
        page.reload()
        page.wait_for_selector("body[data-drawn]")
        assert page.evaluate(KEPT) == [file]


def test_a_file_is_named_by_its_content(built):
    for entry in built["runs"]:
        digest = hashlib.sha256((BUILT / entry["file"]).read_bytes()).hexdigest()
        assert digest == entry["sha256"] and entry["file"].endswith(f".{digest[:8]}.onnx")


def test_no_script_or_style_stands_in_the_page():
    text = (SOURCE / "index.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in text and "unsafe-inline" not in text
    assert text.count("<script") == text.count('<script type="module" src=') == 1
    assert "<style" not in text and " style=" not in text and " onclick=" not in text
