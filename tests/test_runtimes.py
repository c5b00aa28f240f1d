"""The files that `Run.export` writes draw in other runtimes what the package draws.

Each is skipped where it is not installed. The runs are of those that the web page offers.
"""

import subprocess
import sys

import numpy as np
import pytest

from cgan_utils.errors import CganError
from cgan_utils.images import from_png
from cgan_utils.models.layers import to_uint8
from cgan_utils.models.sampling import latent
from cgan_utils.results.run import Run

pytestmark = pytest.mark.one_backend  # the files are of the same one from every backend


@pytest.fixture(scope="module")
def wanted(exported):
    """Noise [8, 100], labels [8] and the images [8, H, W, C] that the package draws of them, as numbers to subtract."""
    run, _ = exported
    labels = np.arange(8, dtype="int32") % len(run.class_names)
    return latent(range(8)), labels, run.draw(labels, range(8)).astype(int)


def off(draw, wanted, sizes=(1, 8)):
    """How many grey levels of 255 a runtime's images are off at most; draw: (noise, labels) → images in [-1, 1]."""
    noise, labels, images = wanted
    drawn = [to_uint8(draw(noise[:count], labels[:count])) for count in sizes]
    assert [x.shape for x in drawn] == [images[:count].shape for count in sizes]
    return max(np.abs(x - images[: len(x)]).max() for x in drawn)


def test_onnx_runtime(exported, wanted):
    import onnxruntime

    session = onnxruntime.InferenceSession(exported[1])
    assert off(lambda noise, label: session.run(None, {"noise": noise, "label": label})[0], wanted) <= 1


@pytest.mark.parametrize("exported", ["modelo_1_mnist_v2"], indirect=True)  # the other would take a minute
def test_the_definition_of_onnx(exported, wanted):
    """What ONNX says that each operator computes, written in NumPy; it takes seconds for an image."""
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(str(exported[1]))
    assert off(lambda noise, label: session.run(None, {"noise": noise, "label": label})[0], wanted, sizes=[1]) <= 1


def test_opencv(exported, wanted):
    cv2 = pytest.importorskip("cv2", minversion="5", reason="OpenCV 5 is not installed")
    net = cv2.dnn.readNetFromONNX(str(exported[1]))

    def draw(noise, label):
        net.setInput(noise, "noise")
        net.setInput(label, "label")
        return net.forward()

    assert off(draw, wanted) <= 1


@pytest.mark.parametrize(("hints", "allowed"), [({"EXECUTION_MODE_HINT": "ACCURACY"}, 1), ({}, 8)])
def test_openvino(exported, wanted, hints, allowed):
    """By default it computes in bfloat16 where the processor can."""
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    model = openvino.compile_model(str(exported[1]), "CPU", hints)
    assert off(lambda noise, label: model({"noise": noise, "label": label})["image"], wanted) <= allowed


@pytest.mark.parametrize("name", ["modelo_1_mnist_v2", "modelo_6_mnist"])
def test_litert(name, tmp_path):
    """Its plain interpreter, without TensorFlow's operators."""
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    pytest.importorskip("tensorflow", reason="tensorflow is not installed, which writes .tflite files")
    run = Run(name)
    interpreter = litert.Interpreter(str(run.export(tmp_path / "generator.tflite"))).get_signature_runner()
    labels = np.arange(8, dtype="int32")
    wanted = latent(range(8)), labels, run.draw(labels, range(8)).astype(int)
    assert off(lambda noise, label: interpreter(noise=noise, label=label)["output_0"], wanted) <= 1


def test_a_folder_for_the_hub_has_a_valid_card_and_draws_by_itself(exported, tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    run, path = exported
    monkeypatch.setattr("cgan_utils.results.onnx.export", lambda _, target: target.write_bytes(path.read_bytes()))
    folder = run.export(tmp_path / "model")
    card = hub.ModelCard.load(folder / "README.md")
    assert card.data.library_name == "keras" and card.data.pipeline_tag == "unconditional-image-generation"
    linked = [part.split(")")[0] for part in card.text.split("](")[1:]]
    assert linked and all((folder / name).is_file() for name in linked if "://" not in name)
    name = run.class_names[7]
    command = [sys.executable, "-P", folder / "generate.py", name, "3", tmp_path / "one.png"]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PATH": ""}, timeout=300)
    drawn, package = from_png(tmp_path / "one.png").astype(int), run.generate(name, 3)[0]
    assert drawn.shape == package.shape and np.abs(drawn - package).max() <= 1
    assert np.abs(Run(folder).generate(name, 3)[0].astype(int) - package).max() <= 1  # it is a run still
    with pytest.raises(CganError, match="new folder"):
        run.export(folder)
