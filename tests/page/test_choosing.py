"""The page in a real browser: a person chooses, and it draws the same pictures as Python."""

import io
from urllib.parse import parse_qs, urlsplit

import numpy as np
from looking import DIGITS, drawn, message, pixels, same, tiles
from PIL import Image

from cgan_utils.results.run import Run


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


def test_a_browser_that_refuses_more_addresses_draws_all_the_same(visit):
    page = visit(DIGITS, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("""() => {
        history.pushState = history.replaceState = () => { throw new DOMException("too often", "SecurityError"); };
    }""")
    page.locator("#classes label", has_text="7").click()
    drawn(page, **{"class": 7})
    assert "class=0" in page.url and message(page) == ""
    page.locator("#share").click()
    page.wait_for_function("() => document.querySelector('#status').textContent.includes('clipboard')")
    assert "class=7" in page.evaluate("navigator.clipboard.readText()")
    page.evaluate("() => { delete history.pushState; delete history.replaceState; }")
    page.locator("#count").select_option("4")
    drawn(page, count=4)
    assert "class=7" in page.url and page.complaints == []
    page.go_back()  # what was shown last under an address of its own
    drawn(page, **{"class": 0}, count=8)


def test_back_and_forward_draw_what_was_chosen_before(visit):
    page, run = visit(f"{DIGITS}&count=4"), Run("modelo_1_mnist_v2")
    page.locator("#classes label", has_text="7").click()
    drawn(page, **{"class": 7})
    page.locator("#seed").fill("123")
    page.locator("#seed").press("Enter")
    drawn(page, seed=123)
    page.locator('#runs input[value="modelo_1_fashion_mnist"]').check()
    drawn(page, run="modelo_1_fashion_mnist")
    for turn, wanted in (
        (page.go_back, {"run": run.name, "class": 7, "seed": 123}),
        (page.go_back, {"run": run.name, "class": 7, "seed": 0}),
        (page.go_back, {"run": run.name, "class": 0, "seed": 0}),
        (page.go_forward, {"run": run.name, "class": 7, "seed": 0}),
    ):
        turn()
        drawn(page, **wanted, count=4)
        assert same(tiles(page), run, [wanted["class"]] * 4, range(wanted["seed"], wanted["seed"] + 4))
        assert page.locator("#seed").input_value() == str(wanted["seed"])
        assert page.locator("#classes input:checked").input_value() == str(wanted["class"])
    page.locator("#count").select_option("8")  # from here the way forward is another one
    drawn(page, count=8)
    assert page.evaluate("history.length") == 1 + 3 and page.complaints == []


def test_what_is_passed_over_before_it_is_drawn_is_no_step_back(visit):
    page = visit(DIGITS)
    before = page.evaluate("history.length")
    # Ten changes at once, as of an arrow key that is held.
    page.evaluate("() => [...document.querySelectorAll('#classes input')].reverse().forEach(radio => radio.click())")
    page.locator("#classes label", has_text="7").click()
    drawn(page, **{"class": 7})
    assert page.evaluate("history.length") <= before + 2
    page.evaluate("hash => location.hash = hash", f"#{DIGITS}&class=5")  # a link makes its own entry, once
    drawn(page, **{"class": 5})
    page.go_back()
    drawn(page, **{"class": 7})


def test_a_link_that_is_followed_while_a_drawing_ends_is_drawn(visit):
    page = visit(f"{DIGITS}&seed=1")
    # The drawing that ends writes its own address before the page hears of the new one.
    page.evaluate(
        "hash => { const old = location.href; location.hash = hash; history.replaceState(null, '', old) }", "#seed=2"
    )
    drawn(page, seed=2)
    assert "seed=2" in page.url


def test_on_a_phone_the_large_picture_is_in_sight_of_every_tile(visit):
    page = visit(f"{DIGITS}&count=64", viewport={"width": 390, "height": 844}, has_touch=True)
    last = page.locator("#tiles button").last
    last.tap()
    assert page.locator("#pictures figcaption").inner_text() == "0, seed 63"
    figure, tile = page.locator("#pictures figure").bounding_box(), last.bounding_box()
    assert figure["y"] >= 0 and figure["y"] + figure["height"] <= tile["y"] < 844


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
    fish = ["pez de acuario"]
    searches = {"delfin": ["delfín"], "dolphin": ["delfín"], "aquarium fish": fish, "aquarium_fish": fish, "arbol": []}
    for text, names in searches.items():
        page.locator("#classes input[type=search]").fill(text)
        assert labels.all_inner_texts() == names
    assert "«arbol»" in page.locator("#classes > p").inner_text()
    page.locator("#classes input[type=search]").fill("tig")
    page.locator("#classes input[type=search]").press("Enter")
    drawn(page, **{"class": "tiger"})
    page.locator("#languages button", has_text="English").click()
    assert page.locator("h1").inner_text() == "Choose a class, get a new image"
    assert labels.all_inner_texts()[3] == "bear"


def test_no_classifier_is_said_to_be_perfect(visit):
    page = visit(DIGITS)
    card = page.locator("#runs label", has_text="modelo_6_mnist").locator(".quality")
    assert card.inner_text() == "A classifier recognises 99.2% of its drawings, and 99.6% of real MNIST images."
    page.locator("#languages button", has_text="Español").click()
    assert "el 99,2 % de sus dibujos y el 99,6 % de las" in card.inner_text().replace("\xa0", " ")
    assert "100" not in "".join(page.locator(".quality").all_inner_texts()).replace("CIFAR-100", "")


def test_a_link_that_is_wrong_is_said_and_something_is_drawn(visit):
    page = visit("run=nothing")
    assert "no network “nothing”" in message(page)
    assert tiles(page).std() > 10
    for wrong, said in (
        ("class=cat", "no class “cat”"),
        ("seed=-1", "“-1” is no seed"),
        ("seed=4294967296", "from 0 to 4,294,967,295"),
        ("count=1000", "“1000” is no number of pictures"),
        ("clas=7", "“clas” means nothing in a link"),
    ):
        page.evaluate("hash => { delete document.body.dataset.drawn; location.hash = hash }", f"#{DIGITS}&{wrong}")
        drawn(page, run="modelo_1_mnist_v2")
        assert said in message(page)
        assert tiles(page).std() > 10


def test_a_link_that_other_programs_changed_is_understood(visit):
    page = visit("RUN=modelo_1_mnist_v2&amp;Class=7&amp;amp;SEED=5&amp;AMP;count=4&utm_source=a&fbclid=b")
    drawn(page, run="modelo_1_mnist_v2", **{"class": 7}, seed=5, count=4)
    assert message(page) == ""
    assert page.url.endswith("#run=modelo_1_mnist_v2&class=7&seed=5&count=4")
    page.locator("#languages button", has_text="Español").click()
    page.evaluate("hash => location.hash = hash", f"#{DIGITS}&Semilla=7&seed=6")
    drawn(page, seed=6)
    assert "«Semilla» no significa nada" in message(page)


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
    for choose in (
        lambda: page.locator("#fresh").click(),
        lambda: page.locator("#count").select_option("4"),
        lambda: page.locator("#classes label", has_text="7").click(),
        lambda: page.locator('#runs input[value="modelo_1_fashion_mnist"]').check(),
    ):
        page.locator("#seed").fill("seven")
        page.locator("#seed").press("Enter")
        page.wait_for_selector("#seed[aria-invalid=true]")
        choose()
        page.wait_for_selector("#seed[aria-invalid=false]")
        assert f"seed={page.locator('#seed').input_value()}&" in page.url and message(page) == ""
