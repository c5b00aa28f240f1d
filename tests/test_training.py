import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.results.run import Run
from cgan_utils.results.writing import write_run
from cgan_utils.training import checkpoints
from cgan_utils.training import train as training
from cgan_utils.training.batches import batches
from cgan_utils.training.train import make_gan, train

# Trains a real experiment in a process that kills itself, without any warning, at the step it is told.
KILLED = """
import os, signal, sys
from cgan_utils.backend import keras
from cgan_utils.data.datasets import load
from cgan_utils.training.train import train

class Kill(keras.callbacks.Callback):
    seen = 0
    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

train("modelo_1_mnist_v2", sys.argv[1], resume=sys.argv[3] == "resume", data=load("mnist", stand_in=True),
      limit_images=40, batch_size=4, epochs=2, checkpoint_steps=3, precision="float32", verbose=0,
      extra_callbacks=[Kill()])
"""


def run_and_kill(folder, at, mode="new"):
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(folder), str(at), mode]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system whose processes can be killed outright")
def test_killed_and_resumed_equals_never_interrupted(tmp_path):
    never = run_and_kill(tmp_path / "whole", at=0)
    assert never.returncode == 0, never.stderr
    whole, folder, mode = Run(tmp_path / "whole"), tmp_path / "killed", "new"
    for at, kept in ((8, 6), (9, 13)):  # killed after so many more steps, once in each epoch; kept in all
        assert run_and_kill(folder, at, mode).returncode == -signal.SIGKILL
        assert len(checkpoints.read_progress(f"{folder}.checkpoint").losses) == kept
        mode = "resume"
    resumed = run_and_kill(folder, 0, mode)
    assert resumed.returncode == 0, resumed.stderr
    run = Run(folder)
    assert run.weights == whole.weights  # the hashes of both generators
    np.testing.assert_array_equal(run.losses, whole.losses)
    columns = run.history.columns.drop("seconds")
    assert run.history[columns].equals(whole.history[columns])
    for epoch, picture in whole.evolution.items():
        np.testing.assert_array_equal(run.evolution[epoch], picture)


def state(gan):
    return {name: np.array(keras.ops.convert_to_numpy(v.value)) for name, v in checkpoints._variables(gan).items()}


def test_a_checkpoint_holds_everything_a_step_changes(tiny, digits, tmp_path):
    gan = make_gan(tiny, digits, "float32")
    fresh = state(gan)
    gan.fit(digits.x_train, digits.y_train, batch_size=16, verbose=0)
    trained = state(gan)
    unchanged = [name for name in fresh if np.array_equal(fresh[name], trained[name])]
    assert all("learning_rate" in name for name in unchanged), unchanged
    checkpoints.save(tmp_path / "a.checkpoint", gan, checkpoints.Progress(), {})
    other = make_gan(replace(tiny, seed=9), digits, "float32")
    checkpoints.restore(tmp_path / "a.checkpoint", other)
    for name, array in state(other).items():
        np.testing.assert_array_equal(array, trained[name], err_msg=name)


def test_a_longer_training_goes_on_from_a_shorter_one_under_another_name(tiny, digits, tmp_path):
    short = train(tiny, tmp_path / "a", data=digits, verbose=0)
    (tmp_path / "a.checkpoint").rename(tmp_path / "b.checkpoint")
    long = train(replace(tiny, name="tiny_long", epochs=3), tmp_path / "b", data=digits, resume=True, verbose=0)
    straight = train(replace(tiny, epochs=3), tmp_path / "c", data=digits, verbose=0)
    assert long.weights == straight.weights != short.weights
    assert long.record["training"]["trained_as"] == ["tiny_digits", "tiny_long"]
    assert list(long.history["epoch"]) == [1, 2, 3]
    assert long.history.drop(columns="seconds").equals(straight.history.drop(columns="seconds"))


def test_an_unconditional_game_with_noisy_labels_resumes_too(unconditional_run, digits, tmp_path):
    settings = unconditional_run.experiment
    train(settings, tmp_path / "a", data=digits, epochs=1, verbose=0)
    resumed = train(settings, tmp_path / "a", data=digits, resume=True, verbose=0)
    assert resumed.weights == unconditional_run.weights
    np.testing.assert_array_equal(resumed.losses, unconditional_run.losses)


def test_a_run_is_written_once_per_epoch(tiny, digits, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(training, "write_run", lambda *args: written.append(len(args[4])) or write_run(*args))
    run = train(tiny, tmp_path / "a", data=digits, verbose=0)
    assert written == [4, 8]  # steps
    assert run.record["training"]["complete"]


def test_resuming_a_finished_training_changes_nothing(tiny, digits, tmp_path):
    first = train(tiny, tmp_path / "a", data=digits, verbose=0).weights
    assert train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0).weights == first


def test_other_settings_are_refused_with_what_changed(tiny, digits, tmp_path):
    train(tiny, tmp_path / "a", data=digits, epochs=1, verbose=0)
    with pytest.raises(CganError, match=r"batch_size default → 8"):
        train(tiny, tmp_path / "a", data=digits, resume=True, batch_size=8, verbose=0)
    with pytest.raises(CganError, match="other settings.*other images"):
        train(tiny, tmp_path / "a", data=digits.limited(32), resume=True, verbose=0)


def test_a_folder_in_use_is_never_overwritten(tiny, digits, tmp_path):
    train(tiny, tmp_path / "a", data=digits, epochs=1, verbose=0)
    with pytest.raises(CganError, match="--resume"):
        train(tiny, tmp_path / "a", data=digits, verbose=0)


def test_resume_without_a_checkpoint_and_with_a_damaged_one(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="no checkpoint"):
        train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)
    (tmp_path / "a.checkpoint").write_bytes(b"not a checkpoint")
    with pytest.raises(CganError, match="damaged"):
        train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)


class PressStop(keras.callbacks.Callback):
    """Ctrl-C in the middle of a step."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_the_last_step_of_an_epoch_lets_the_epoch_end(tiny, digits, tmp_path):
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[PressStop(4)])
    assert stopped.record["training"]["epochs"] == 1
    assert len(stopped.losses) == 4
    resumed = train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)
    assert resumed.weights == train(tiny, tmp_path / "b", data=digits, verbose=0).weights


def test_ctrl_c_leaves_a_usable_run_that_resumes_to_the_same_end(tiny, digits, tmp_path, capsys):
    before = signal.getsignal(signal.SIGINT)
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[PressStop(6)])
    assert signal.getsignal(signal.SIGINT) is before
    assert "Stopped in epoch 2" in capsys.readouterr().err
    assert not stopped.record["training"]["complete"]
    assert len(stopped.losses) == 6
    assert stopped.generate("7", range(3)).shape == (3, 28, 28, 1)
    resumed = train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)
    assert resumed.weights == train(tiny, tmp_path / "b", data=digits, verbose=0).weights


class PressStopTwice(keras.callbacks.Callback):
    """Ctrl-C twice while the test images are looked at, where the metrics are not those of training."""

    def on_test_batch_begin(self, batch, logs=None):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_second_ctrl_c_stops_at_once_and_keeps_the_last_checkpoint(tiny, digits, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path / "a", data=digits, verbose=0, checkpoint_steps=3, extra_callbacks=[PressStopTwice()])
    resumed = train(tiny, tmp_path / "a", data=digits, resume=True, verbose=0)
    assert resumed.weights == train(tiny, tmp_path / "b", data=digits, verbose=0).weights


def test_a_cluster_that_ends_the_job_stops_it_as_ctrl_c_does(tiny, digits, tmp_path):
    class Terminate(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[Terminate()])
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(stopped.losses) == 2 and not stopped.record["training"]["complete"]
    assert checkpoints.read_progress(tmp_path / "a.checkpoint").step == 2


def test_other_callbacks_see_the_epoch_after_which_it_stops(tiny, digits, tmp_path):
    seen = []

    class Watch(PressStop):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(epoch)

    train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[Watch(4)])
    assert seen == [0]


def test_another_number_of_threads_is_noticed_and_recorded(tiny, digits, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training.backend, "gpu", lambda: None)
    for threads, said in ((2, False), (2, False), (1, True), (1, False)):
        monkeypatch.setattr(training.backend, "threads", lambda threads=threads: threads)
        epochs = train(
            tiny,
            tmp_path / "a",
            data=digits,
            verbose=0,
            epochs=5,
            minutes=1e-9,
            resume=(tmp_path / "a.checkpoint").exists(),
        )
        assert epochs.record["training"]["threads"] == threads
        assert ("bit for bit" in capsys.readouterr().err) == said


def test_a_setting_can_be_changed_to_none(tiny, digits, tmp_path):
    own = replace(tiny, d_learning_rate=1e-5)
    run = train(own, tmp_path / "a", data=digits, verbose=0, epochs=1, d_learning_rate=None)
    assert run.experiment.d_learning_rate is None


def test_a_class_without_an_image_is_named_at_the_beginning(tiny, digits, tmp_path, capsys):
    some = digits.y_train != 7
    data = replace(digits, x_train=digits.x_train[some], y_train=digits.y_train[some])
    train(tiny, tmp_path / "a", data=data, verbose=0, epochs=1)
    assert "at random: 7" in capsys.readouterr().err


def test_fewer_epochs_than_were_begun_end_the_training_where_it_is(tiny, digits, tmp_path):
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[PressStop(6)])
    ended = train(tiny, tmp_path / "a", data=digits, verbose=0, resume=True, epochs=1)
    assert ended.record["training"]["complete"] and ended.weights == stopped.weights and len(ended.losses) == 6
    resumed = train(tiny, tmp_path / "a", data=digits, verbose=0, resume=True)
    assert resumed.weights == train(tiny, tmp_path / "b", data=digits, verbose=0).weights


def test_epochs_that_were_not_saved_are_trained_again_to_the_same_end(tiny, digits, tmp_path):
    class Die(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:  # after the Saver, which has just passed it over
                raise MemoryError

    with pytest.raises(MemoryError):
        train(tiny, tmp_path / "a", data=digits, verbose=0, epochs=3, extra_callbacks=[Die()])
    assert checkpoints.read_progress(tmp_path / "a.checkpoint").epoch == 1
    assert Run(tmp_path / "a").record["training"]["epochs"] == 1
    resumed = train(tiny, tmp_path / "a", data=digits, verbose=0, epochs=3, resume=True)
    assert resumed.weights == train(tiny, tmp_path / "b", data=digits, verbose=0, epochs=3).weights


def test_stopping_in_the_first_epoch_still_gives_a_run(tiny, digits, tmp_path):
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, extra_callbacks=[PressStop(2)])
    assert len(stopped.history) == 0
    assert stopped.record["training"]["epochs"] == 0
    assert stopped.generate("1", 0).shape == (1, 28, 28, 1)


def test_a_training_stops_by_itself_when_its_time_is_over_and_goes_on(tiny, digits, tmp_path):
    whole = train(tiny, tmp_path / "whole", data=digits, verbose=0)
    stopped = train(tiny, tmp_path / "a", data=digits, verbose=0, minutes=1e-9)  # over after the first step
    assert stopped.record["training"]["steps"] == 1
    assert not stopped.record["training"]["complete"]
    ended = train(tiny, tmp_path / "a", data=digits, verbose=0, resume=True, minutes=60)
    np.testing.assert_array_equal(ended.losses, whole.losses)


def test_the_order_of_the_data_depends_on_seed_and_epoch_alone():
    images, labels = np.arange(10)[:, None], np.arange(10)

    def take(count, **where):
        stream = batches(images, labels, 3, **where)
        return [next(stream)[1].tolist() for _ in range(count)]

    six = take(6, seed=1)  # two epochs of three whole batches
    assert six[3:] == take(3, seed=1, epoch=1)
    assert six[2:] == take(4, seed=1, epoch=0, step=2)
    assert six[:3] != six[3:]
    assert six[:3] != take(3, seed=2)
    assert len({label for batch in six[:3] for label in batch}) == 9


def test_too_few_images_for_a_batch(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="smaller batch"):
        train(tiny, tmp_path / "a", data=digits.limited(8), verbose=0)


def test_precision_is_checked_before_anything_is_written(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="mixed_bfloat16"):
        train(tiny, tmp_path / "a", data=digits, precision="float16", verbose=0)
    assert not list(tmp_path.iterdir())


def test_new_folders_are_numbered_and_resume_takes_the_newest(tiny, digits, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    names = [train(tiny, data=digits, epochs=1, verbose=0).name for _ in range(2)]
    assert names == ["tiny_digits", "tiny_digits-2"]
    resumed = train(tiny, data=digits, resume=True, verbose=0)
    assert resumed.name == "tiny_digits-2"
    assert resumed.record["training"]["epochs"] == 2


def test_resume_prefers_a_training_that_is_not_finished(tiny, digits, tmp_path, monkeypatch):
    monkeypatch.setenv("CGAN_HOME", str(tmp_path))
    train(tiny, data=digits, minutes=1e-9, verbose=0)
    assert train(tiny, data=digits, verbose=0).name == "tiny_digits-2"
    assert train(tiny, data=digits, resume=True, verbose=0).name == "tiny_digits"


def test_a_finished_training_that_is_resumed_keeps_what_was_measured(tiny, digits, tmp_path):
    train(tiny, tmp_path / "run", data=digits, verbose=0).keep_metrics({"protocol": {"generator_sha256": "?"}})
    train(tiny, tmp_path / "run", data=digits, resume=True, verbose=0)
    assert (tmp_path / "run" / "metrics.json").is_file() and (tmp_path / "run" / "curves.png").is_file()


def test_what_was_measured_of_a_run_without_a_whole_epoch_is_kept_without_curves(tiny, digits, tmp_path):
    run = train(tiny, tmp_path / "run", data=digits, minutes=1e-9, verbose=0)
    run.keep_metrics({"protocol": {"generator_sha256": "?"}})
    assert (tmp_path / "run" / "metrics.json").is_file() and not (tmp_path / "run" / "curves.png").exists()


def test_a_training_killed_before_its_first_checkpoint_begins_again(tiny, digits, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(CganError, match="as if a training had just begun in it; if none has, add --resume"):
        train(tiny, tmp_path / "run", data=digits, verbose=0)
    assert train(tiny, tmp_path / "run", data=digits, resume=True, epochs=1, verbose=0).record["training"]["complete"]


def test_a_training_that_stops_after_its_last_step_is_not_called_stopped(tiny, digits, tmp_path, capsys):
    train(tiny, tmp_path / "run", data=digits, epochs=1, limit_images=tiny.batch_size, minutes=1e-9, verbose=0)
    assert "Stopped" not in capsys.readouterr().err


def test_numbers_of_numpy_are_numbers(tiny, digits, tmp_path):
    run = train(tiny, tmp_path / "run", data=digits, epochs=np.int64(1), learning_rate=np.float32(0.5), verbose=0)
    assert (run.experiment.epochs, run.experiment.learning_rate) == (1, 0.5)


@pytest.mark.parametrize("option", ["limit_images", "minutes", "score", "checkpoint_minutes"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_an_amount_that_makes_no_sense_is_refused_before_anything_is_written(option, value, tiny, digits, tmp_path):
    with pytest.raises(CganError, match=f"{option} is {value}; give a number above 0"):
        train(tiny, tmp_path / "run", data=digits, verbose=0, **{option: value})
    assert not any(tmp_path.iterdir())
