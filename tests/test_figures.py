"""The figures of a run, and the views that choose among pictures."""

import io
import json
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cgan_utils.errors import CganError
from cgan_utils.images import folded, grid
from cgan_utils.models.networks import build
from cgan_utils.plain_figures import in_legend, short, subplots
from cgan_utils.results.curves import epoch_curves
from cgan_utils.results.run import Run
from cgan_utils.views import comparison, diagram
from cgan_utils.views import explorer as widgets
from cgan_utils.views import figures as plots
from cgan_utils.views.comparison import strips
from cgan_utils.views.figures import class_grid, sheet


def test_the_evolution_slider_shows_each_epoch(run, monkeypatch):
    shown = []
    monkeypatch.setattr(widgets, "show", lambda view, body: shown.append((view, body.value)))
    widgets.explore_evolution(run)
    [(view, png)] = shown
    slider, image = view.children
    assert slider.options == (0, 1, 2)
    assert bytes(image.value) == png
    slider.value = 0
    assert bytes(image.value) != png


def test_the_evolution_of_several_runs_is_chosen_in_a_dropdown(run, tmp_path, monkeypatch):
    short = Run(shutil.copytree(run.path, tmp_path / "short"))
    (short.path / "evolution" / "epoch_0002.png").unlink()
    shown = []
    monkeypatch.setattr(widgets, "show", lambda view, png: shown.append(view))
    widgets.explore_evolution(run, short)
    dropdown, slider, image = shown[0].children
    assert dropdown.options == (run.name, "short") and slider.value == 2
    last = bytes(image.value)
    dropdown.value = "short"
    assert slider.options == (0, 1) and slider.value == 1  # it has no second epoch
    first = bytes(image.value)
    assert first != last
    dropdown.value = run.name
    assert slider.options == (0, 1, 2) and slider.value == 1 and bytes(image.value) == first
    slider.value = 2
    assert bytes(image.value) == last
    widgets.explore_evolution(run, Run(shutil.copytree(run.path, tmp_path / "other" / run.name)), run)
    assert shown[-1].children[0].options == (run.name, f"{run.name} (2)")


def test_eight_runs_are_shown_and_more_are_refused(run, tmp_path):
    runs = [Run(shutil.copytree(run.path, tmp_path / str(i) / "copy")) for i in range(9)]
    figures = [comparison.conditioning(runs[:8]), comparison.at_a_glance(runs[:8], ["3"], columns=1)]
    figures.append(comparison.training_curves({str(i): one.history for i, one in enumerate(runs[:8])}))
    for figure in figures:
        lines = [line for line in figure.axes[0].lines if line.get_label()[0] != "_"]
        assert len({line.get_color() for line in lines}) == len({line.get_label() for line in lines}) == 8
    for draw in (comparison.conditioning, lambda runs: comparison.at_a_glance(runs, ["3"])):
        with pytest.raises(CganError, match="9 models are too many for one figure; compare 8 at most"):
            draw(runs)
    plt.close("all")


@pytest.mark.parametrize("rows", [15, 17, 20])
def test_many_rows_stand_side_by_side(rows):
    images = np.repeat(np.arange(10 * rows, dtype="uint8"), 64).reshape(10 * rows, 8, 8, 1)
    picture, half = folded(grid(images, columns=10), rows), -(-rows // 2)
    first, second = grid(images[: 10 * half], columns=10), grid(images[10 * half :], columns=10)
    np.testing.assert_array_equal(picture[:, :44], first[:, :44])
    np.testing.assert_array_equal(picture[: len(second), 48:], second[:, :44])
    assert (picture[len(second) :, 48:] == 255).all()
    whole = grid(images[:100], columns=10)
    assert folded(whole, 10) is whole


def test_the_curves_of_a_single_epoch_are_seen_and_the_title_counts_it(run, tmp_path):
    folder = shutil.copytree(run.path, tmp_path / "short")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["training"]["epochs"] = 1
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert run.title.endswith("2 epochs)") and Run(folder).title.endswith("1 epoch)")
    axes = epoch_curves(run.history[:1]).axes[0]
    assert {line.get_marker() for line in axes.lines} == {"o"} and axes.get_xticks().tolist() == [1]
    training, test = (line.get_markerfacecolor() for line in axes.lines[:2])
    assert training != test == "white"


def test_the_curves_have_a_panel_for_each_loss_and_score(run):
    figure = epoch_curves(run.history, "curves")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["discriminator", "generator", "accuracy", "precision", "recall", "f1"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training", "test images"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()  # so that the losses of both can be compared
    one = epoch_curves(run.history[["epoch"]].assign(squared_error=0.2, val_squared_error=0.3)).axes
    assert [axis.get_title() for axis in one] == ["squared error of a pixel"]


@pytest.mark.parametrize(("count", "size"), [(2, (8, 4.7)), (5, (15, 3.7))])
def test_many_pictures_side_by_side_stay_within_a_page(count, size):
    squares = {f"{i}": np.zeros((10, 10, 1), "uint8") for i in range(count)}
    np.testing.assert_allclose(plots.pictures(squares, height=4).get_size_inches(), size)


def test_every_figure_is_drawn_with_a_title(run, digits):
    figures = [
        plots.class_grid(digits.x_train, digits.y_train, digits.class_names, title="digits"),
        plots.iteration_losses(run.losses),
        epoch_curves(run.history, title="epochs"),
        plots.evolution_strip(run),
        plots.sheet({f"class_{i}": image for i, image in enumerate(digits.x_train[:12])}, "sheet"),
        plots.pictures({"a": run.evolution[0], "b": run.evolution[1]}, "two"),
    ]
    for figure in figures:
        titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
        assert any(titles)
        assert figure.axes
        figure.canvas.draw()
        plt.close(figure)


@pytest.mark.parametrize("name", ["modelo_1", "modelo_3_28px"])
def test_a_diagram_accounts_for_every_parameter(name):
    for network in build(name, 10, (28, 28, 1)):
        boxes, rows = diagram._boxes(network)
        assert rows == 2
        assert sum(parameters for _, _, parameters, _, _ in boxes.values()) == network.count_params()
        figure = diagram.diagram(network, "title")
        texts = " ".join(text.get_text() for text in figure.axes[0].texts)
        assert "join" in texts
        assert f"{network.get_layer('label_dense').count_params():,}" in texts
        plt.close(figure)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["$5_$10", "猫", "قط", "x" * 180, "a\\b^{$x$}", "_hidden"])
def test_any_name_can_stand_in_a_figure(name):
    """No traceback and no warning, and two names that no font can show are told apart."""
    picture = np.zeros((2, 28, 28, 1), "uint8")
    for figure in (
        sheet({name: picture[0]}, name),
        class_grid(picture, [0, 0], [name], title=name),
        strips({name: {name: picture}}),
    ):
        figure.savefig(io.BytesIO(), format="png")
        plt.close(figure)
    assert short(name) and len(short(name)) <= 24 and short("猫") != short("犬")


def test_a_name_in_a_legend_is_not_hidden():
    figure, axes = subplots()
    axes.plot([0, 1], label=in_legend("_own"))
    assert len(axes.get_legend_handles_labels()[1]) == 1
    plt.close(figure)
