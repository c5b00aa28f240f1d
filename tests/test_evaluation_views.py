import re
import shutil

import numpy as np
import pandas as pd

from cgan_utils.results.evaluation import evaluate
from cgan_utils.results.run import Run
from cgan_utils.views import evaluation as evaluation_plots
from cgan_utils.views import evaluation as evaluation_views
from cgan_utils.views import explorer as widgets


def test_the_explorer_says_what_the_evaluator_sees(run, judge, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    shutil.copytree(run.path, tmp_path / "resultados" / "first")
    plain = widgets.Explorer(count=3)
    assert plain.judge.layout.display == "none"  # there is none
    monkeypatch.setattr(widgets, "find_evaluator", lambda data: judge)
    explorer = widgets.Explorer(count=3)
    assert explorer.judge.layout.display is None
    chances = judge.look(run.generate(0, range(3)))[1]
    seen = explorer._seen(run, run.generate(0, range(3)))
    assert [text for text, _ in seen] == [f"{row.argmax()}\n{row.max():.0%}" for row in chances]
    assert [colour == widgets.AS_ASKED for _, colour in seen] == [row.argmax() == 0 for row in chances]
    with_text = bytes(explorer.image.value)
    explorer.judge.value = False
    assert bytes(explorer.image.value) == bytes(plain.image.value) != with_text


def test_the_figures_show_what_was_found(run, reference, tmp_path):
    found = evaluate(run, reference, per_class=12, repeats=1)
    shares = np.array(found["by_class"]["class_accuracy"])
    rows = [text.get_text() for text in evaluation_plots.extremes(run, found, count=2).axes[0].get_yticklabels()]
    best, worst = np.argmax(shares), np.flatnonzero(shares == shares.min())[-1]
    assert len(rows) == 4 and rows[0] == f"{best} {shares[best]:.0%}" and rows[-1] == f"{worst} {shares[worst]:.0%}"
    written = [text.get_text() for text in evaluation_plots.seen_as(found, "").axes[0].texts]
    assert sum(map(int, written)) == 120
    many = evaluation_plots.matrix(np.eye(100, dtype=int), range(100), [f"a_{i}" for i in range(100)], "")
    assert [text.get_text() for text in many.axes[0].get_xticklabels()][:2] == ["a 0", "a 5"]
    same = evaluation_plots.same_class([run, run], "7")
    assert len(same.axes[0].get_yticks()) == 1  # one run, one row
    namesake = Run(shutil.copytree(run.path, tmp_path / "other" / run.name))
    assert len(evaluation_plots.same_class([run, namesake], "7").axes[0].get_yticks()) == 2
    table = pd.DataFrame(
        {
            "data": ["MNIST", "CIFAR-10", "CelebA"],
            "operations / 10¹⁵": [0.1, 2.0, np.nan],
            "class accuracy": [0.5, 0.9, np.nan],
            "of real images": [1.0, 0.9, np.nan],
            "parameters": [1e6, 4e6, 1e6],
        },
        index=["a", "b", "c"],
    )
    places = np.concatenate(
        [dots.get_offsets() for dots in evaluation_plots.cost_and_quality(table).axes[0].collections]
    )
    assert sorted(map(tuple, places.tolist())) == [(0.1, 0.5), (2.0, 1.0)]


def test_no_name_covers_another_where_points_are_close():
    names = [f"a_run_with_a_long_name_{i}" for i in range(6)]
    table = pd.DataFrame(
        {
            "data": "MNIST",
            "operations / 10¹⁵": [0.44, 0.44, 0.57, 0.64, 0.72, 2.0],
            "class accuracy": [0.99, 0.98, 0.93, 0.985, 0.97, 0.9],
            "of real images": 1.0,
            "parameters": 1e6,
        },
        index=names,
    )
    figure = evaluation_plots.cost_and_quality(table)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].texts] == names
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_the_table_is_sorted_by_the_chosen_column(run, monkeypatch):
    shown = []
    monkeypatch.setattr(evaluation_views, "show", lambda view, body: shown.append((view, body.value)))
    evaluation_views.explore_table(pd.DataFrame({"a": [1, 3, np.nan], "b": [9, 1, 4]}, index=["x", "y", "z"]), "a")
    (by, rising), body = shown[0][0].children[0].children, shown[0][0].children[1]
    order = lambda: "".join(re.findall("<th>([xyz])</th>", body.value))  # noqa: E731
    assert order() == "yxz" and "–" in body.value
    assert shown[0][1] == body.value  # for readers that can't show widgets
    by.value = "b"
    assert order() == "xzy"
    rising.value = True
    assert order() == "yzx"


def test_one_class_is_drawn_by_every_run_that_knows_it(run, unconditional_run, monkeypatch):
    shown = []
    monkeypatch.setattr(evaluation_views, "show", lambda view, body: shown.append((view, body.value)))
    evaluation_views.explore_class([run, unconditional_run])
    (data, label), image = shown[0][0].children[0].children, shown[0][0].children[1]
    assert data.options == (run.record["data"]["title"],) and label.options == run.class_names
    first = bytes(image.value)
    assert first == bytes(shown[0][1])
    label.value = "7"
    assert bytes(image.value) != first
