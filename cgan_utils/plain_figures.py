"""Figures whose texts are shown as they are: names of classes and folders are anyone's, in any script."""

import functools

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

# Families that hold scripts which matplotlib's own font lacks; those are used that the machine has.
OWN = "DejaVu Sans"  # comes with matplotlib
FAMILIES = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Emoji")
FAMILIES += ("WenQuanYi Zen Hei", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "PingFang SC", "Arial Unicode MS")


class PlainFigure(Figure):
    """Two `$` in a text are no formula here, a letter that no font has is shown by its number, and lines that are
    wider than the figure end in `…`."""

    def draw(self, renderer):
        for text in self.findobj(Text):
            if "\\mathdefault" not in text.get_text():  # of a logarithmic axis, which writes powers as formulas
                _make_plain(text, most=max(40, int(self.get_figwidth() * 110 / text.get_fontsize())))
        super().draw(renderer)


def subplots(*args, **options):
    """`plt.subplots` with a `PlainFigure`; the package draws all its figures on such."""
    return plt.subplots(*args, FigureClass=PlainFigure, **options)


def short(name, most=24):
    """A name of at most so many signs: of a longer one the beginning; a letter that no font has as ‹number›."""
    name = str(name)
    if not name.isascii():
        own, others = _letters()
        unknown = {ord(letter) for letter in name} - own - others.keys() - {ord("\n")}
        name = name.translate({code: f"‹{code:X}›" for code in unknown})
    return name if len(name) <= most else f"{name[: most - 1]}…"


def in_legend(name):
    """A name as a label. Matplotlib's legends leave out what begins with `_`: a sign without width comes before it."""
    return f"\u200b{name}" if str(name).startswith("_") else name


def _make_plain(text, most):
    text.set_parse_math(False)
    words = "\n".join(short(line, most) for line in text.get_text().split("\n"))
    if words != text.get_text():
        text.set_text(words)
    if not words.isascii():
        own, others = _letters()
        families = {others[ord(letter)] for letter in words if ord(letter) in others.keys() - own}
        if families:
            text.set_fontfamily([OWN, *sorted(families)])


@functools.cache
def _letters():
    """The code points of matplotlib's own font, and those of the other families that are at hand: {code: family}."""
    at_hand = {font.name: font.fname for font in font_manager.fontManager.ttflist if font.name in FAMILIES}
    others = {code: name for name in at_hand for code in FT2Font(at_hand[name]).get_charmap()}
    return frozenset(FT2Font(font_manager.findfont(OWN)).get_charmap()), others
