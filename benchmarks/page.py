"""The web page in real Chromium: the first picture, cold and warm, and the frames a second of the walk, per run.

python benchmarks/page.py [RUN …] [--clicks 20]      after `make page`

cold: from opening a link, nothing in the browser's cache, to the picture; warm: from the click on a class to its
picture. One thread, as on a first visit.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from cgan_utils.backend import machine

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from browser import CHROMIUM, served  # noqa: E402

BUILT = ROOT / "page" / "dist"
SECONDS = 3  # of walking
CLICK = """async () => {
    const others = [...document.querySelectorAll("#classes input[type=radio]:not(:checked)")];
    const drawn = new Promise(resolve => new MutationObserver(resolve).observe(
        document.body, {attributes: true, attributeFilter: ["data-drawn"]}));
    const begun = performance.now();
    others[Math.floor(others.length / 2)].click();
    await drawn;
    const took = performance.now() - begun;
    await new Promise(resolve => setTimeout(resolve, 1000));  // the walk draws its three pictures
    return took;
}"""
FRAMES = """async milliseconds => {
    let frames = 0;
    const watch = new MutationObserver(changes => frames += changes.length);
    watch.observe(document.querySelector("#between"), {attributes: true, attributeFilter: ["data-shown"]});
    document.querySelector("#play").click();
    await new Promise(resolve => setTimeout(resolve, milliseconds));
    document.querySelector("#play").click();
    return frames;
}"""


def measure(browser, address, name, clicks):
    """(cold ms, warm ms, frames a second)"""
    page = browser.new_context(service_workers="block").new_page()
    begun = time.perf_counter()
    page.goto(f"{address}#run={name}&count=1")
    page.wait_for_selector("body[data-drawn]")
    cold = 1000 * (time.perf_counter() - begun)
    page.wait_for_timeout(1000)
    warm = statistics.median(page.evaluate(CLICK) for _ in range(clicks))
    frames = page.evaluate(FRAMES, 1000 * SECONDS) / SECONDS
    page.context.close()
    return cold, warm, frames


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--clicks", type=int, default=20)
    args = parser.parse_args()
    if not CHROMIUM or not (BUILT / "runs.json").is_file():
        sys.exit("This needs Chromium, and a page built with `make page`.")
    sizes = {run["name"]: run["bytes"] for run in json.loads((BUILT / "runs.json").read_text(encoding="utf-8"))["runs"]}
    print(f"{machine()}\n\n| run | MB | cold, ms | warm, ms | frames a second |\n|---|---|---|---|---|")
    with served(BUILT) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name in args.runs or sizes:
            cold, warm, frames = measure(browser, address, name, args.clicks)
            print(f"| {name} | {sizes[name] / 1e6:.1f} | {cold:.0f} | {warm:.0f} | {frames:.0f} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
