import pytest

from cgan_utils.errors import CganError
from cgan_utils.models.gan import ConditionalGAN
from cgan_utils.training.train import train
from cgan_utils.views import notebook
from cgan_utils.views import notebook as budget


def test_the_budget_chooses_and_only_tests_may_use_stand_ins(monkeypatch):
    values = {"smoke": 1, "demo": 2, "full": 3}
    monkeypatch.delenv("CGAN_BUDGET", raising=False)
    assert budget.Budget().choose(**values) == 2
    monkeypatch.setenv("CGAN_BUDGET", "smoke")
    assert budget.Budget().choose(**values) == 1
    assert budget.Budget().stand_in == "if_missing"
    assert budget.Budget("full").stand_in is False
    monkeypatch.setenv("CGAN_BUDGET", "smok")
    with pytest.raises(CganError, match="did you mean smoke"):
        budget.Budget()


def test_source_is_shown_as_it_runs(monkeypatch):
    shown = []
    monkeypatch.setattr(notebook, "display", shown.append)
    notebook.show_source(ConditionalGAN.train_step)
    assert shown[0].data.startswith("def train_step(self, data):")
    assert "value_and_gradients" in shown[0].data


class Handle:
    """Stands for what IPython's `display(display_id=True)` returns."""

    def __init__(self):
        self.shown = []

    def update(self, content, raw=False):
        self.shown.append(content)


def test_the_live_view_shows_progress_and_a_row_of_images_at_its_moments(tiny, digits, tmp_path, monkeypatch):
    handles = []
    monkeypatch.setattr(notebook, "display", lambda *content, display_id: handles.append(Handle()) or handles[-1])
    view = notebook.LiveView(8, labels=range(3), rows=4)
    train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[view])
    text, figure = handles
    assert list(view.frames) == [0, 2, 4, 8]
    assert [len(images) for images in view.frames.values()] == [3, 3, 3, 3]
    assert len(figure.shown) == 4
    last = text.shown[-1]["text/plain"]
    assert "iteration 8 of 8" in last
    assert "discriminator" in last
    assert "░" not in last


def test_a_watched_training_is_a_run_that_lasts_as_long_as_it_is_needed(tiny, digits, monkeypatch):
    handles = []
    monkeypatch.setattr(notebook, "display", lambda *content, display_id: handles.append(Handle()) or handles[-1])
    run = notebook.watch(tiny, digits, images=2 * tiny.batch_size, labels=[1, 2])
    assert len(run.losses) == 2
    assert run.generate(1, 0).shape == (1, 28, 28, 1)
    folder = run.path.parent
    assert folder.exists()
    del run
    assert not folder.exists()


def test_claims_are_a_table_with_a_verdict_each():
    table = notebook.claims({"it overfits": (True, "gap 0.2"), "it copies": (False, "no"), "it lasts": (None, "?")})
    assert table.data.splitlines()[2:] == [
        "| it overfits | gap 0.2 | **confirmed** |",
        "| it copies | no | **refuted** |",
        "| it lasts | ? | **undecided** |",
    ]


def test_how_a_run_was_trained_stands_beside_what_was_published(run):
    table = notebook.trained(run)["value"]
    assert table["epochs"] == "2" and table["published epochs"] == "2"
    assert table["images seen"] == str(run.record["training"]["images_seen"])
