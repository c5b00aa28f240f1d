"""The walk from one picture to another."""

import numpy as np
from looking import DIGITS, drawn, message, pixels, same

from cgan_utils.results.run import Run


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


def test_back_returns_to_before_the_walk(visit):
    page = visit(DIGITS)
    page.locator("#classes label", has_text="7").click()
    drawn(page, **{"class": 7})
    entries = page.evaluate("history.length")
    page.locator("#end-class").select_option("3")
    page.locator("#way").fill("10")
    page.locator("#play").click()
    page.wait_for_selector('#between[data-shown^="3 1 "]:not([data-shown="3 1 10"])')
    page.locator("#play").click()
    assert page.evaluate("history.length") == entries
    page.go_back()
    drawn(page, **{"class": 0})
    assert page.url.endswith(f"#{DIGITS}&class=0&seed=0&count=8")


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


def test_the_walk_outlives_quick_changes_of_the_network(built, visit):
    page = visit(DIGITS)
    page.locator("#play").click()
    for run in built["runs"]:
        page.evaluate("hash => location.hash = hash", f"#run={run['name']}")
        page.wait_for_timeout(300)
    drawn(page, run=run["name"])
    assert message(page) == "" and page.complaints == []
    assert page.locator("#play").inner_text() == "Stop"


def test_the_walk_has_the_classes_of_what_is_drawn(visit):
    held = []
    page = visit(f"{DIGITS}&class=3&seed=5")
    page.context.route("**/*.onnx", lambda route: held.append(route))
    page.locator('#runs input[value="modelo_1_fashion_mnist"]').check()
    while not held:
        page.wait_for_timeout(50)
    ends = page.locator("#end-class option")
    assert ends.all_inner_texts() == [str(i) for i in range(10)]
    page.locator("#end-class").select_option("8")
    held.pop().continue_()
    drawn(page, run="modelo_1_fashion_mnist")
    assert ends.nth(9).inner_text() == "Ankle boot"
    page.locator("#languages button", has_text="Español").click()
    page.wait_for_function("() => document.querySelector('#end-class').lastChild.textContent !== 'Ankle boot'")


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
