"""A folder belongs to one training at a time."""

import subprocess
import sys
import threading

import pytest
from sentences import is_one_sentence

from cgan_utils.backend import keras
from cgan_utils.errors import CganError
from cgan_utils.training.places import alone, reserve
from cgan_utils.training.train import train


def test_trainings_that_start_together_get_a_folder_each(tmp_path):
    folders, got = [tmp_path / str(i) for i in range(8)], []
    threads = [threading.Thread(target=lambda: got.append(reserve(folders))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == folders


def test_a_single_folder_goes_to_one_training_only(tmp_path):
    reserve([tmp_path / "run"])
    with pytest.raises(CganError, match="choose another folder"):
        reserve([tmp_path / "run"])


def test_a_second_training_that_starts_meanwhile_cannot_take_the_folder(tiny, digits, tmp_path):
    refusals = []

    class Second(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            with pytest.raises(CganError, match="as if a training had just begun in it") as refusal:
                train(tiny, tmp_path / "run", data=digits, verbose=0)
            refusals.append(refusal)

    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1, extra_callbacks=[Second()])
    assert len(refusals) == 1


def test_a_second_training_that_would_go_on_meanwhile_gets_one_sentence(tiny, digits, tmp_path):
    refusals = []

    class Second(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if not refusals:
                with pytest.raises(CganError, match="Another training is at work in .*run; let it end") as refusal:
                    train(tiny, tmp_path / "run", data=digits, verbose=0, resume=True)
                refusals.append(refusal)

    train(tiny, tmp_path / "run", data=digits, verbose=0, epochs=1)
    whole_run = train(tiny, tmp_path / "run", data=digits, verbose=0, resume=True, extra_callbacks=[Second()])
    assert len(refusals) == 1 and is_one_sentence(refusals[0])
    assert whole_run.record["training"]["complete"]
    assert {path.name for path in tmp_path.iterdir()} == {"run", "run.checkpoint"}


HOLDS = """
import sys, time
from pathlib import Path
from cgan_utils.training.places import alone

with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(300)
"""


def test_a_process_that_dies_holds_no_folder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path / "run"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(CganError, match="Another training"), alone(tmp_path / "run"):
            pass
    finally:
        process.kill()
        process.communicate()
    with alone(tmp_path / "run"):
        pass
    assert not any(tmp_path.iterdir())


CONTENDS = """
import os, sys, time
from pathlib import Path
from cgan_utils.errors import CganError
from cgan_utils.training.places import alone

folder, entered = Path(sys.argv[1]), 0
end = time.monotonic() + 1.5
while time.monotonic() < end:
    try:
        with alone(folder):
            os.close(os.open(folder.with_name("inside"), os.O_CREAT | os.O_EXCL))  # fails if another one is inside
            entered += 1
            folder.with_name("inside").unlink()
    except CganError:
        pass
print(entered)
"""


def test_of_processes_that_contend_no_two_are_inside_at_once(tmp_path):
    command = [sys.executable, "-c", CONTENDS, tmp_path / "run"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, results
    assert sum(int(entered) for entered, _ in results) > 100
