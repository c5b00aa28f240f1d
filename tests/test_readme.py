"""The READMEs point to what exists, and their numbers are those of the shipped run."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import results_table

from cgan_utils.__main__ import parser
from cgan_utils.files import AVERAGED, BEST, LAST
from cgan_utils.models.experiments import EXPERIMENTS
from cgan_utils.results.run import Run, list_runs

ROOT = Path(__file__).parent.parent
each = pytest.mark.parametrize("name", ["README.md", "README.es.md"])


@each
def test_links_and_pictures_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    local = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(local) > 4
    headings = {"#" + re.sub(r"\W+", "-", line.lower()) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert not [link for link in local if not (link in headings if link[0] == "#" else (ROOT / link).exists())]


@each
def test_seconds_per_epoch_are_those_of_the_run(name):
    seconds = Run(ROOT / "resultados" / "modelo_1_mnist_v2").record["training"]["seconds_per_epoch"]
    assert re.search(rf"`modelo_1_mnist_v2` (took|tardó) {seconds:.0f} ", (ROOT / name).read_text(encoding="utf-8"))


@each
def test_commands_are_real(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = re.findall(r"^ +\.venv/bin/cgan ([^#\n]+)", text, re.MULTILINE)
    assert len(commands) > 3
    for command in commands:
        parser().parse_args(command.split())


def test_the_tables_of_results_are_those_of_the_runs():
    assert not results_table.outdated()


def test_a_table_of_results_that_has_drifted_is_noticed(tmp_path):
    for name in results_table.READMES:
        shutil.copy(ROOT / name, tmp_path / name)
    assert len(results_table.outdated(tmp_path)) == 2  # there are no runs


@pytest.mark.parametrize("path", sorted((ROOT / "resultados").glob("*/run.json")), ids=lambda path: path.parent.name)
def test_every_shipped_run_opens_draws_and_is_what_its_name_says(path):
    run = Run(path.parent)
    assert list_runs()[run.name] == path.parent
    # `--draw-averaged` is the one choice that leaves the name as it is; the test below asks for the README's word.
    settings = replace(EXPERIMENTS[run.name], draw_averaged=run.experiment.draw_averaged).settings()
    assert run.experiment.settings() == settings
    assert not run.record["data"]["stand_in"]
    images = run.generate(run.class_names, range(len(run.class_names)))
    assert images.shape == (len(run.class_names), *run.shape)
    assert images.std() > 30
    assert len(run.history) == run.record["training"]["epochs"]
    assert len(run.losses) == run.record["training"]["steps"]
    assert 0 in run.evolution
    assert all(file.stat().st_size < 100e6 for file in path.parent.rglob("*"))
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    assert f"{run.record['training']['epochs']} of {run.experiment.epochs} planned epochs" in card


@each
def test_a_shipped_run_draws_otherwise_than_its_training_would_only_where_the_readme_says_so(name):
    """With the averaged generator; else, as a training of its name does, with the best that was scored or the last."""
    said = r"modelo_3, modelo_4, modelo_5 (?:and|y) gan_ligera (?:draw|dibujan) [^.]*(?:averaged|promediado)"
    assert re.search(said, (ROOT / name).read_text(encoding="utf-8"))
    for path in (ROOT / "resultados").glob("*/run.json"):
        run = Run(path.parent)
        training, usual = run.record["training"], AVERAGED if EXPERIMENTS[run.name].draw_averaged else LAST
        best = training.get("best_epoch")
        if best:
            usual = LAST if best == training["epochs"] and BEST not in run.weights else BEST  # the last may be the best
        if run.draws_with != usual:
            assert run.draws_with == AVERAGED
            assert run.name.startswith(("modelo_3", "modelo_4", "modelo_5", "gan_ligera")), run.name


@each
def test_what_a_notebook_tells_to_set_is_explained(name):
    assert "`%env CGAN_BUDGET=full`" in (ROOT / name).read_text(encoding="utf-8")


def test_the_spanish_readme_has_the_same_sections_with_the_same_commands():
    """Section by section: commands and pictures, without comments and the names that a reader chooses."""
    english, spanish = (
        [
            (
                re.findall(r"^ {4}(?:\.venv/bin/|KERAS_BACKEND=\w+ )?(\w+ [a-z-]+)", part, re.M),
                re.findall(r"docs/\w+", part),
            )
            for part in re.split(r"^## ", (ROOT / name).read_text(encoding="utf-8"), flags=re.M)
        ]
        for name in ("README.md", "README.es.md")
    )
    assert spanish == english
