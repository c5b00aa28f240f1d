"""A generator that left as an ONNX file draws, in another runtime, what it drew here."""

import importlib.util
import json

import numpy as np
import pytest

from cgan_utils.errors import CganError
from cgan_utils.models.layers import to_uint8
from cgan_utils.models.sampling import latent
from cgan_utils.results.run import Run


def test_another_runtime_draws_the_same_pictures_in_batches_of_any_size(tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    for name in ("torch", "onnx", "onnxscript"):
        pytest.importorskip(name, reason=f"{name} is not installed, of the extra 'onnx'")
    run = Run("modelo_1_mnist_v2")
    session = runtime.InferenceSession(run.export(tmp_path / "generator.onnx"))
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["run"] == run.name and tuple(json.loads(facts["classes"])) == run.class_names
    assert facts["sha256"] == run.weights[run.draws_with]
    for count in (1, 5):
        labels, seeds = np.arange(count, dtype="int32"), range(count)
        (drawn,) = session.run(["image"], {"noise": latent(seeds), "label": labels})
        assert np.abs(to_uint8(drawn).astype(int) - run.draw(labels, seeds)).max() <= 1


def test_what_is_missing_is_named_and_nothing_is_written(run, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else found(name, *rest)
    )
    with pytest.raises(CganError, match=r"torch.*pip install -e .\.\[onnx\]"):
        run.export(tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())
