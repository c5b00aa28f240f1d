import json
import os
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from cgan_utils.data import datasets
from cgan_utils.errors import CganError
from cgan_utils.files import LAST
from cgan_utils.images import from_png
from cgan_utils.models.experiments import Experiment
from cgan_utils.results.run import Run
from cgan_utils.training.train import train
from cgan_utils.views import explorer as widgets


@pytest.fixture
def home(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        shutil.copytree(run.path, tmp_path / "resultados" / name)
    return tmp_path


@pytest.fixture
def explorer(home):
    return widgets.Explorer(count=3)


def picture(explorer):
    return bytes(explorer.image.value)


def test_every_control_changes_the_picture_and_the_caption(explorer):
    seen = {picture(explorer)}
    assert explorer.caption.value == "<b>first</b>, class <b>0</b>, seed 0 to 2"
    explorer.label.value = 7
    seen.add(picture(explorer))
    assert "class <b>7</b>" in explorer.caption.value
    explorer.seed.value = 5
    seen.add(picture(explorer))
    assert "seed 5 to 7" in explorer.caption.value
    explorer.count.value = 1
    seen.add(picture(explorer))
    assert explorer.caption.value.endswith("seed 5")
    assert len(seen) == 4


def test_without_a_picture_there_is_nothing_to_save(explorer, home):
    (home / "resultados" / "second" / LAST).write_bytes(b"damaged")
    explorer.run.value = "second"
    said = explorer.message.value
    assert "truncated or altered" in said and picture(explorer) == b"" and explorer.save.disabled
    explorer.save.click()
    assert explorer.message.value == said and not list(home.glob("*.png"))
    explorer.run.value = "first"
    assert not explorer.save.disabled


def test_with_a_run_that_cannot_be_opened_every_control_says_why(explorer, home):
    (home / "resultados" / "second" / "run.json").write_text("{", encoding="utf-8")
    explorer.run.value = "second"
    for act in (
        lambda: setattr(explorer.label, "value", 5),
        lambda: setattr(explorer.find, "value", "3"),
        explorer.save.click,
        explorer.new.click,
    ):
        explorer.message.value = ""
        explorer.image.value = b"the picture of another run"
        act()
        assert "Expecting property name" in explorer.message.value and picture(explorer) == b""
    assert not list(home.glob("*.png"))


def test_the_new_button_draws_from_another_seed(explorer):
    before = picture(explorer)
    explorer.new.click()
    assert picture(explorer) != before


def test_same_run_class_and_seed_is_the_same_picture(explorer):
    first = picture(explorer)
    explorer.label.value = 4
    explorer.label.value = 0
    assert picture(explorer) == first


def test_changing_the_run_keeps_the_class(explorer):
    explorer.label.value = 6
    explorer.run.value = "second"
    assert explorer.label.value == 6
    assert "<b>second</b>, class <b>6</b>" in explorer.caption.value
    before = picture(explorer)
    explorer.label.value = 2  # the class dropdown still listens
    assert picture(explorer) != before


def test_a_run_without_classes_gets_a_dropdown_of_seeds(home, unconditional_run):
    shutil.copytree(unconditional_run.path, home / "resultados" / "third")
    explorer = widgets.Explorer(count=2)
    explorer.run.value = "third"
    assert explorer.label.description == "Seed"
    assert len(explorer.label.options) == widgets.OFFERED_SEEDS
    assert explorer.caption.value == "<b>third</b>, seed 0 to 1"
    before = picture(explorer)
    explorer.label.value = 42
    assert explorer.caption.value == "<b>third</b>, seed 42 to 43"
    assert picture(explorer) != before
    explorer.save.click()
    assert (home / "third_image_seed42-43.png").is_file()
    explorer.seed.value = 5  # the dropdown follows, as far as it goes
    assert explorer.label.value == 5
    explorer.seed.value = 4242
    assert explorer.label.value is None
    assert explorer.caption.value == "<b>third</b>, seed 4242 to 4243"
    explorer.run.value = "first"  # and back
    assert explorer.label.description == "Class"
    assert explorer.label.value < 10
    assert "class <b>" in explorer.caption.value


def test_another_run_keeps_the_class_that_was_chosen_if_it_knows_it(home, run):
    shutil.copytree(run.path, home / "resultados" / "third")
    record = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    record["data"]["class_names"] = ["ten", *record["data"]["class_names"][:0:-1]]  # 9 is its class 1
    (home / "resultados" / "third" / "run.json").write_text(json.dumps(record), encoding="utf-8")
    explorer = widgets.Explorer("first", label="9", count=1)
    explorer.run.value = "third"
    assert "class <b>9</b>" in explorer.caption.value and explorer.label.value == 1
    explorer.label.value = 0
    explorer.run.value = "first"  # knows no such class
    assert explorer.label.value == 0 and "class <b>0</b>" in explorer.caption.value


@pytest.fixture(scope="module")
def run_of_a_hundred(tmp_path_factory):
    data = datasets.load("cifar100", stand_in=True).limited(32)
    settings = Experiment("hundred", "cifar100", "tiny", epochs=1, batch_size=16)
    return train(settings, tmp_path_factory.mktemp("runs") / "hundred", data=data, verbose=0)


def test_a_hundred_classes_are_grouped_and_can_be_searched(home, run_of_a_hundred):
    shutil.copytree(run_of_a_hundred.path, home / "resultados" / "hundred")
    explorer = widgets.Explorer("hundred", count=1)
    assert explorer.find.layout.display is None
    assert explorer.label.options[0][0] == "aquatic mammals · beaver"
    assert len(explorer.label.options) == 100
    explorer.find.value = "Sunfl"
    assert [text for text, _ in explorer.label.options] == ["flowers · sunflower"]
    assert "class <b>sunflower</b>" in explorer.caption.value
    explorer.find.value = "súnflower"
    assert [text for text, _ in explorer.label.options] == ["flowers · sunflower"]
    explorer.find.value = "flowers"
    assert len(explorer.label.options) == 5
    assert "class <b>sunflower</b>" in explorer.caption.value  # still among them
    explorer.find.value = "xyzzy"
    assert "xyzzy" in explorer.message.value
    assert len(explorer.label.options) == 5
    explorer.find.value = ""
    assert len(explorer.label.options) == 100
    reversed_ = home / "resultados" / "reversed"
    record = json.loads((shutil.copytree(run_of_a_hundred.path, reversed_) / "run.json").read_text(encoding="utf-8"))
    record["data"]["class_names"].reverse()
    (reversed_ / "run.json").write_text(json.dumps(record), encoding="utf-8")
    again = widgets.Explorer("hundred", label="sunflower", count=1)
    again.find.value = "flowers"
    again.run.value = "reversed"
    assert again.find.value == "" and "class <b>sunflower</b>" in again.caption.value
    again.find.value = "trees"  # the search still listens
    assert len(again.label.options) == 5
    explorer.run.value = "first"
    assert explorer.find.layout.display == "none"
    assert explorer.label.layout.display is explorer.run.layout.display is None  # nothing else goes with it
    assert len(explorer.label.options) == 10


def test_images_are_enlarged_to_whole_squares(explorer, tmp_path):
    explorer.count.value = 1
    (tmp_path / "a.png").write_bytes(picture(explorer))
    pixels = from_png(tmp_path / "a.png")
    assert pixels.shape == (224, 224, 1)
    np.testing.assert_array_equal(pixels[0::8], pixels[7::8])
    assert explorer.image.width == "224"


def test_save_writes_the_picture_and_says_where(explorer, home):
    explorer.label.value = 3
    explorer.save.click()
    file = home / "first_3_seed0-2.png"
    assert file.read_bytes() == picture(explorer)
    assert file.name in explorer.message.value
    explorer.count.value = 1
    explorer.save.click()
    assert (home / "first_3_seed0.png").read_bytes() == picture(explorer)
    file.write_bytes(b"another picture")
    explorer.count.value = 3
    for _ in range(2):  # the second time it is there already
        explorer.save.click()
        assert "first_3_seed0-2_2.png" in explorer.message.value
    assert file.read_bytes() == b"another picture" and len(list(home.glob("*.png"))) == 3


def test_a_picture_says_whether_the_run_is_ones_own(home, run):
    shutil.copytree(run.path, home / "runs" / "first")
    for name in ("first", "runs/first"):
        widgets.Explorer(name, count=1).save.click()
    assert sorted(path.name for path in home.glob("*.png")) == ["first_0_seed0.png", "runs-first_0_seed0.png"]


def test_missing_weights_get_a_friendly_message(home):
    (home / "resultados" / "second" / LAST).unlink()
    explorer = widgets.Explorer()
    explorer.run.value = "second"
    assert "missing" in explorer.message.value
    assert picture(explorer) == b""
    explorer.run.value = "first"  # and it recovers
    assert explorer.message.value == ""
    assert picture(explorer)


def test_autoencoders_are_not_offered(home):
    record = home / "resultados" / "second" / "run.json"
    text = json.loads(record.read_text())
    text["experiment"] |= {"game": "autoencoder", "architecture": "autoencoder_2d"}
    text["parameters"]["encoder"] = text["parameters"].pop("discriminator")
    record.write_text(json.dumps(text))
    assert widgets.Explorer().run.options == ("first",)


def test_no_run_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    with pytest.raises(CganError, match="cgan train"):
        widgets.Explorer()


def test_a_run_outside_the_project_can_be_explored(home, run):
    explorer = widgets.Explorer(run.path)
    assert explorer.run.value == str(run.path)
    assert picture(explorer)


@pytest.fixture
def displayed(monkeypatch):
    """What `show` displays: [(bundle, what it was replaced by later), …], here in a notebook of JupyterLab."""
    shown = []
    for name in [name for name in os.environ if name.startswith("VSCODE_")]:
        monkeypatch.delenv(name)

    def display(bundle, raw, display_id=None):
        later = []
        shown.append((bundle, later))
        return SimpleNamespace(update=lambda new, raw: later.append(new))

    monkeypatch.setattr("cgan_utils.views.widgets.display", display)
    return shown


def test_what_the_widget_shows_is_kept_as_a_plain_picture_and_follows_it(explorer, displayed):
    first = picture(explorer)
    explorer._ipython_display_()
    (widget, _), (kept, later) = displayed
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.view.model_id
    assert kept["image/png"] == first
    explorer.label.value = 7
    assert [new["image/png"] for new in later] == [picture(explorer)]
    assert picture(explorer) != first


def test_colab_gets_widget_and_picture_in_one(explorer, displayed, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", None)
    explorer._ipython_display_()
    [(both, _)] = displayed
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} <= set(both)


def test_a_class_may_be_given_in_any_form(home):
    expected = picture(widgets.Explorer(label=7, count=2))
    for label in ("7", np.int64(7)):
        assert picture(widgets.Explorer(label=label, count=2)) == expected


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"label": "seven"}, "There is no class 'seven'"),
        ({"label": -1}, "There is no class number -1"),
        ({"label": 10}, "There is no class number 10"),
        ({"seed": 10**6}, "There is no seed 1000000 here"),
        ({"seed": -1}, "There is no seed -1 here"),
        *(({"count": count}, f"{count} images can't be shown") for count in (100, 65, 0, -3, 2.5, "ten", None)),
    ],
)
def test_a_class_or_seed_that_there_is_not_gets_one_sentence(home, options, hint):
    with pytest.raises(CganError, match=hint):
        widgets.Explorer(**options)


def test_a_run_may_be_given_as_such(home):
    assert widgets.Explorer(Run("second")).run.value == "second"


def test_a_folder_that_cannot_be_written_is_said_beside_the_button(explorer, home, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    explorer.save.click()
    assert "can't be written (Permission denied)" in explorer.message.value


def test_an_evaluator_that_cannot_look_keeps_no_picture_from_being_drawn(home, monkeypatch):
    class Blind:
        def look(self, images):
            raise CganError("It looks at other images.")

    plain = picture(widgets.Explorer(count=2))
    monkeypatch.setattr(widgets, "find_evaluator", lambda data: Blind())
    assert picture(widgets.Explorer(count=2)) == plain
