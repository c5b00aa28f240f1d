"""For `jupyter nbconvert --to html notebooks/…`: where a widget stands, the page shows the picture kept with it.

A widget would need its JavaScript from the internet, and without Python it would do nothing anyway.
"""

c = get_config()  # noqa: F821
c.NbConvertBase.display_data_priority = [
    "image/png",
    "image/jpeg",
    "image/svg+xml",
    "text/html",
    "text/markdown",
    "text/latex",
    "application/vnd.jupyter.widget-view+json",
    "text/plain",
]
