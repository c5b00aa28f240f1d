"""What saving a run and its checkpoint does to what was there before, and to a run that is open meanwhile."""

import errno
import json
import sys

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.models.experiments import suitable
from cgan_utils.results import tables, verdicts
from cgan_utils.results.run import Run
from cgan_utils.training import callbacks, checkpoints
from cgan_utils.training.places import checkpoint_of, newest
from cgan_utils.training.train import train


def test_files_of_somebody_else_in_the_folder_stay(tiny, digits, tmp_path):
    run = train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    (run.path / "notes.txt").write_text("mine")
    if sys.platform != "win32":
        (run.path / "latest").symlink_to("/gone")
    (run.path / "exports").mkdir()
    (run.path / "exports" / "a.keras").write_text("mine, too")
    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=2, resume=True)
    assert (run.path / "notes.txt").read_text() == "mine"
    assert sys.platform == "win32" or (run.path / "latest").is_symlink()
    assert (run.path / "exports" / "a.keras").read_text() == "mine, too"


class Spoil(keras.callbacks.Callback):
    """Makes a weight of the discriminator no number after the last step of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch + 1 == self.params["steps"]:
            weight = self.model.discriminator.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan, "float32"))


def test_weights_that_are_no_numbers_do_not_replace_a_good_checkpoint(tiny, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks.Saver, "PAUSE", 0)
    with pytest.raises(CganError, match="a weight is no number any more.*stays as it was"):
        train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=3, extra_callbacks=[Spoil()])
    assert checkpoints.read_progress(checkpoint_of(tmp_path / "run")).epoch == 1


def test_to_resume_is_to_go_on_with_what_was_stopped_before_its_first_checkpoint(tiny, digits, tmp_path):
    folders = [tmp_path / name for name in ("run", "run-2", "run-3")]
    train(tiny, folders[0], data=digits, verbose=0, epochs=1)
    assert newest(folders) == folders[0]
    folders[1].mkdir()
    assert newest(folders) == folders[1]


def test_a_run_that_was_trained_further_is_to_be_opened_again(tiny, digits, tmp_path):
    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    drawing, measured = Run(tmp_path / "run"), Run(tmp_path / "run")
    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=2, resume=True)
    with pytest.raises(CganError, match="written again since it was opened"):
        drawing.generate("3", 0)
    with pytest.raises(CganError, match="written again since it was opened"):
        measured.keep_metrics({})
    assert "2 of 2 planned epochs" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")


def test_a_disk_that_is_full_when_the_run_is_written_is_one_sentence(tiny, digits, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", refuse)
        with pytest.raises(CganError, match="run can't be written to .*No space left.*--resume"):
            train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    assert train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1, resume=True).age == "1 epoch"


def test_real_images_without_variety_divide_nothing(run, tmp_path):
    one = {"mean": 5.0, "values": [5.0], "spread": 0.0}
    metrics = {"drawn": {"diversity": one}, "real": {"diversity": 0.0}, "by_class": {}}
    assert not list(verdicts.weaknesses(metrics))
    metrics |= {"verdict": {"keys": ["varied"]}, "protocol": {"generator_sha256": run.weights[run.draws_with]}}
    flat = Run(run.path)
    flat.__dict__["metrics"] = metrics
    assert np.isnan(tables.all_runs([flat])["diversity"].iloc[0])


def test_a_run_that_this_version_does_not_know_is_named(run, tmp_path):
    for change in ({"architecture": "my_net"}, {"new_field": 1}):
        record = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
        record["experiment"] |= change
        (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
        with pytest.raises(CganError, match=f"{tmp_path.name} can't be opened: "):
            Run(tmp_path)


@pytest.mark.parametrize("count", [*range(1, 9), 39, 40, 79, 80, 1_000, 100_000])
def test_a_batch_for_pictures_of_ones_own_can_be_filled(count):
    settings = suitable(2, 3, count)
    assert settings.batch_size <= count and settings.batch_size % settings.group == 0
    assert suitable(1, 3, count).batch_size <= count
