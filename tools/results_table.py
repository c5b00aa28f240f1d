"""Makes the READMEs' table of results from the JSON of the shipped runs: `python tools/results_table.py [--check]`.

The table stands between `<!-- results -->` and `<!-- /results -->`. With --check nothing is changed, and the exit code
is 1 if a README is out of step.
"""

import sys
from math import isnan

from links import READMES, ROOT, between, rewrite

from cgan_utils.results.run import Run
from cgan_utils.results.tables import all_runs, phrase

HEADS = (
    ("Run", "Data", "Parameters", "Epochs", "Class accuracy (real)", "Fréchet (floor)", "Coverage", "In words"),
    (
        "Entrenamiento",
        "Datos",
        "Parámetros",
        "Épocas",
        "Acierto de clase (real)",
        "Fréchet (mínimo)",
        "Cobertura",
        "En palabras",
    ),
)
MARKS = ({}, str.maketrans(",.", ".,"))  # Spanish writes 1.171.256 and 0,863


def table(language, root=ROOT):
    """Markdown; language: 0 English, 1 Spanish."""
    runs = [Run(file.parent) for file in sorted((root / "resultados").glob("*/run.json"))]
    lines = [HEADS[language], ["---"] * len(HEADS[language])]
    for name, row in all_runs(runs).iterrows():
        numbers = (
            f"{row['parameters']:,}",
            f"{row['epochs']}/{row['planned']}",
            _beside(row["class accuracy"], row["of real images"], ".3f"),
            _beside(row["Fréchet"], row["floor"], ".3g"),
            _beside(row["coverage"], None, ".2f"),
        )
        numbers = [number.translate(MARKS[language]) for number in numbers]
        words = phrase(row["keys"], language)
        lines.append([f"[`{name}`](resultados/{name}/README.md)", row["data"], *numbers, words])
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _beside(value, real, form):
    """'0.912 (0.994)', or a dash where there is none."""
    if isnan(value):
        return "–"
    return f"{value:{form}}" + (f" ({real:{form}})" if real is not None else "")


def outdated(root=ROOT):
    """{path: the text it should have} for each README out of step."""
    paths = [root / name for name in READMES]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    wanted = {path: between(texts[path], "results", table(i, root), path) for i, path in enumerate(paths)}
    return {path: text for path, text in wanted.items() if text != texts[path]}


if __name__ == "__main__":
    sys.exit(rewrite(outdated(), "--check" in sys.argv[1:]))
