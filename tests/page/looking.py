"""What a visitor of the page sees."""

from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
SOURCE, BUILT = ROOT / "page" / "src", ROOT / "page" / "dist"
DIGITS = "run=modelo_1_mnist_v2"  # the smallest network
PIXELS = """canvas => {
    const {width, height} = canvas;
    return [height, width, ...canvas.getContext("2d").getImageData(0, 0, width, height).data];
}"""


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
