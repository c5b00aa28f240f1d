"""What the page fetches and keeps, and a sentence for whatever goes wrong on the way."""

import shutil

import pytest
from browser import served
from looking import BUILT, DIGITS, drawn, message, same, tiles

from cgan_utils.results.run import Run

KEPT = """async () => {
    await navigator.serviceWorker.ready;
    const models = await caches.open("cgan-page / models");
    for (let i = 0; i < 100 && !(await models.keys()).length; i++) await new Promise(done => setTimeout(done, 100));
    return (await models.keys()).map(request => request.url);
}"""
# Waits until every cache has such a name; Playwright's wait_for_function takes any promise for a yes.
CACHES = """async wanted => {
    for (let i = 0; i < 300; i++) {
        if ((await caches.keys()).every(name => new RegExp(wanted).test(name))) return true;
        await new Promise(done => setTimeout(done, 100));
    }
}"""


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
    ("file", "said"),
    [
        ("*.wasm", "The download of ONNX Runtime broke off after 0.0 MB of"),
        ("ort.wasm.min.mjs", "ONNX Runtime, which computes"),
    ],
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


def test_the_runtime_is_fetched_once_whatever_becomes_of_the_networks(visit):
    asked, held = [], []
    page = visit(DIGITS, before=lambda page: hold(page, held, asked), wait="main:visible")
    while not held:
        page.wait_for_timeout(50)
    for run in ("modelo_1_fashion_mnist", "modelo_6_mnist", "modelo_6_fashion_mnist"):
        page.evaluate("hash => location.hash = hash", f"#run={run}")  # once: again, it would be asked for anew
        while not any(f"/{run}." in route.request.url for route in held):
            page.wait_for_timeout(50)
    held[-1].fulfill(status=503)
    page.wait_for_selector("#message button:visible")
    page.context.unroute("**/*.onnx")
    page.locator("#message button").click()
    drawn(page, run=run)
    assert len(asked) == 1 and message(page) == ""


def hold(page, held, asked):
    """Keeps the networks' downloads waiting, and counts the runtime's."""
    page.context.route("**/*.onnx", lambda route: held.append(route))
    page.on("request", lambda request: request.url.endswith(".wasm") and asked.append(request.url))


def test_a_slow_connection_is_no_reason_for_a_warning(visit):
    held = []
    page = visit(before=lambda page: page.route("**/runs.json", lambda route: held.append(route)), wait="h1")
    assert not page.locator("#message").is_visible()
    page.wait_for_selector("#message:visible")
    assert "sin JavaScript" in message(page)
    held.pop().continue_()
    page.wait_for_selector("body[data-drawn]")
    assert message(page) == ""


@pytest.mark.parametrize(("language", "said"), [("en", "Reload the page"), ("es", "Vuelve a cargarla")])
def test_a_file_that_is_gone_is_no_broken_connection(visit, language, said):
    def gone(page):
        page.context.route("**/*.onnx", lambda route: route.fulfill(status=404))

    page = visit(DIGITS, before=gone, wait="#message button:visible", locale=language)
    assert said in message(page) and "modelo_1_mnist_v2" in message(page)


def test_a_page_left_open_over_a_new_version_is_new_when_reloaded(visit, tmp_path):
    folder, name = tmp_path / "page", "modelo_1_fashion_mnist"
    shutil.copytree(BUILT, folder)
    with served(folder) as there:
        page = visit(DIGITS, keep=True, at=there)
        page.evaluate(KEPT)
        [file] = folder.glob(f"models/{name}.*")
        file.rename(file.with_stem("new"))
        for said, old, new in (
            ("runs.json", file.stem, "new"),
            ("sw.js", "VERSION = `${OURS}", "VERSION = `${OURS}new "),
        ):
            text = (folder / said).read_text(encoding="utf-8")
            (folder / said).write_text(text.replace(old, new), encoding="utf-8")
        page.locator(f'#runs input[value="{name}"]').check()
        page.wait_for_selector("#message button:visible")
        assert "Reload the page" in message(page)
        assert page.evaluate(CACHES, "models|new")
        page.reload()
        drawn(page, run=name)


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


def test_another_device_is_a_new_try(visit):
    def promise(page):
        page.add_init_script("Object.defineProperty(navigator, 'gpu', {value: {requestAdapter: async () => ({})}})")
        page.context.route("**/*.asyncify.wasm", lambda route: route.abort())

    page = visit(DIGITS, before=promise)
    page.locator("#device select").select_option("webgpu")
    page.wait_for_selector("#message button:visible")
    page.locator("#device select").select_option("wasm")
    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('8 pictures in')")
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
    assert page.evaluate(CACHES, "^(?!cgan-page / older$)")
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
