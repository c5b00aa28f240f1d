"""A batch that several devices divide among them: losses and weights are those of one device."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cgan_utils import backend
from cgan_utils.__main__ import main
from cgan_utils.backend import BACKEND, keras
from cgan_utils.errors import CganError
from cgan_utils.training.train import make_game, train

if BACKEND == "jax":
    import jax

two_devices = pytest.mark.skipif(
    BACKEND != "jax" or len(jax.devices()) < 2, reason="needs JAX and two devices; test_other_backends.py runs it"
)


@two_devices
def test_two_devices_train_what_one_trains(tiny, digits, tmp_path):
    steady = replace(tiny, optimizer="adam", epochs=1)
    one = train(steady, tmp_path / "one", data=digits, verbose=0)
    two = train(steady, tmp_path / "two", data=digits, devices="all", steps_per_call=3, verbose=0)
    np.testing.assert_allclose(two.losses, one.losses, rtol=2e-3, atol=2e-3)
    ours, theirs = (run.generator().get_weights() for run in (one, two))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)


@two_devices
@pytest.mark.parametrize("architecture", ["tiny", "tiny_unconditional"])
def test_each_of_two_devices_has_half_of_the_work(tiny, digits, architecture):
    def work(devices):
        with backend.shared(devices, 16):
            game = make_game(replace(tiny, architecture=architecture), digits)
            owners = game.trainable_variables, game.non_trainable_variables, game.optimizer.variables
            state = tuple([v.value for v in variables] for variables in (*owners, game.metrics_variables))
            batch = digits.x_train[:16], digits.y_train[:16]
            step = jax.jit(lambda *inputs: type(game).train_step(game, *inputs))
            return step.lower(state, batch).compile().cost_analysis()["flops"]  # of one device

    assert work(2) < 0.6 * work(1)


@two_devices
@pytest.mark.parametrize(("devices", "message"), [(3, "there are 2"), (0, "0 devices"), ("two", "whole number")])
def test_bad_numbers_of_devices_get_one_sentence(tiny, digits, tmp_path, devices, message):
    with pytest.raises(CganError, match=message):
        train(tiny, tmp_path / "a", data=digits, devices=devices)
    assert not list(tmp_path.iterdir())


@two_devices
def test_a_batch_that_can_not_be_divided_gets_one_sentence(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="batch of 15 can't be divided among 2"):
        train(replace(tiny, batch_size=15), tmp_path / "a", data=digits, devices=2)


@pytest.mark.skipif(BACKEND != "jax", reason="needs JAX; test_other_backends.py runs it")
@pytest.mark.parametrize(
    ("facts", "native"),
    [
        ({"platform": "gpu", "device_kind": "Tesla T4", "compute_capability": "7.5"}, False),
        ({"platform": "gpu", "device_kind": "NVIDIA H100", "compute_capability": "9.0"}, True),
        ({"platform": "gpu", "device_kind": "NVIDIA B200", "compute_capability": "10.0"}, True),
        ({"platform": "gpu", "device_kind": "AMD", "compute_capability": "gfx942"}, True),
        ({"platform": "tpu", "device_kind": "TPU v4"}, True),
    ],
)
def test_which_cards_have_units_for_bfloat16(facts, native, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda: [SimpleNamespace(**facts)])
    assert backend.precision("auto") == ("mixed_bfloat16" if native else "float32")
    assert backend.machine() == facts["device_kind"]


@pytest.mark.skipif(BACKEND == "jax", reason="JAX can do it")
def test_without_jax_there_is_one_device(tiny, digits, tmp_path):
    with pytest.raises(CganError, match="need JAX"):
        train(tiny, tmp_path / "a", data=digits, devices="all")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("machines", "machine"), [(2, 3), (2, 0), (2, "1")])
def test_bad_numbers_of_machines_get_one_sentence(machines, machine):
    with pytest.raises(CganError, match="number the machines from 1"):
        backend.join("localhost:1", machines, machine)


def test_machines_without_a_meeting_place_get_one_sentence(capsys):
    assert main(["train", "modelo_1_mnist_v2", "--machines", "2"]) == 2
    assert "--coordinator" in capsys.readouterr().err


def test_several_machines_cannot_leave_devices_idle(capsys):
    assert main(["train", "modelo_1_mnist_v2", "--coordinator", "localhost:1", "--devices", "2"]) == 2
    assert "leave --devices out" in capsys.readouterr().err


@pytest.mark.skipif(BACKEND != "tensorflow", reason="of TensorFlow")
def test_the_step_can_be_compiled(tiny, digits, tmp_path):
    class Ask(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            answers.append(self.model.jit_compile)

    answers = []
    run = train(tiny, tmp_path / "a", data=digits, epochs=1, compiled=True, verbose=0, extra_callbacks=[Ask()])
    assert answers == [True] * 4
    assert run.losses.shape == (4, 2) and np.isfinite(run.losses).all()
