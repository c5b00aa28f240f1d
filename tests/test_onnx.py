"""A generator that left as an ONNX file draws, in another runtime, what it drew here."""

import importlib.util
import json

import numpy as np
import pytest

from cgan_utils.errors import CganError
from cgan_utils.models.layers import to_uint8
from cgan_utils.models.sampling import latent
from cgan_utils.results.onnx import blend


def test_another_runtime_draws_the_same_pictures_in_batches_of_any_size(exported):
    import onnxruntime

    run, path = exported
    session = onnxruntime.InferenceSession(path)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["run"] == run.name and tuple(json.loads(facts["classes"])) == run.class_names
    assert facts["sha256"] == run.weights[run.draws_with]
    for count in (1, 5):
        labels, seeds = np.arange(count, dtype="int32"), range(count)
        (drawn,) = session.run(["image"], {"noise": latent(seeds), "label": labels})
        assert np.abs(to_uint8(drawn).astype(int) - run.draw(labels, seeds)).max() <= 1


def test_tables_are_float32_in_the_file_and_looked_up_by_the_label(exported):
    """OpenVINO samples wrong images from tables in 8 bits, and converters to ncnn stop at Keras's wrap of the label."""
    import onnx

    run, path = exported
    graph = onnx.load(str(path)).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    made = {name: node for node in graph.node for name in node.output}
    looked_up = [node for node in graph.node if node.op_type == "Gather" and "label" in node.input]
    assert looked_up and all(types[node.input[0]] == onnx.TensorProto.FLOAT for node in looked_up)
    for node in graph.node:  # the others take a number out of a shape
        if node.op_type == "Gather" and node not in looked_up:
            assert made[node.input[0]].op_type == "Shape"
        assert node.op_type == "Gather" or "label" not in node.input
    stored = onnx.TensorProto.INT8 if "cifar10" in run.name else onnx.TensorProto.FLOAT16
    assert stored in types.values()


def test_all_of_the_shares_on_one_class_is_that_class(exported, tmp_path):
    import onnxruntime

    run, path = exported
    blend(path, tmp_path / "blend.onnx")
    noise, labels = latent(range(3)), np.array([0, 4, 9], "int32")
    (wanted,) = onnxruntime.InferenceSession(path).run(None, {"noise": noise, "label": labels})
    shares = np.eye(len(run.class_names), dtype="float32")[labels]
    (found,) = onnxruntime.InferenceSession(tmp_path / "blend.onnx").run(None, {"noise": noise, "classes": shares})
    assert (found == wanted).all()


@pytest.mark.parametrize("exported", ["modelo_1_mnist_v2"], indirect=True)
def test_labels_can_be_of_64_bits(exported, tmp_path):
    """The converter of ncnn, pnnx, takes no others."""
    import onnx
    import onnxruntime

    run, path = exported
    other = run.export(tmp_path / "generator.onnx", label_type="int64")
    noise, labels = latent(range(3)), np.array([0, 4, 9])
    (wanted,) = onnxruntime.InferenceSession(path).run(None, {"noise": noise, "label": labels.astype("int32")})
    (found,) = onnxruntime.InferenceSession(other).run(None, {"noise": noise, "label": labels.astype("int64")})
    assert (found == wanted).all()
    types = [onnx.load(str(file)).graph.input for file in (path, other)]
    assert [given[-1].type.tensor_type.elem_type for given in types] == [onnx.TensorProto.INT32, onnx.TensorProto.INT64]


def test_labels_of_another_type_are_refused(run, tmp_path):
    with pytest.raises(CganError, match="int64"):
        run.export(tmp_path / "generator.onnx", label_type="float32")
    with pytest.raises(CganError, match="onnx"):
        run.export(tmp_path / "generator.keras", label_type="int64")
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_named_and_nothing_is_written(run, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else found(name, *rest)
    )
    with pytest.raises(CganError, match=r"torch.*pip install -e .\.\[onnx\]"):
        run.export(tmp_path / "generator.onnx")
    assert not list(tmp_path.iterdir())
