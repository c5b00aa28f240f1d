"""A generator as an ONNX file, the format that other runtimes read, browsers among them.

Keras writes it from PyTorch's backend; in a session of another backend a process of its own does.
"""

import importlib.util
import json
import warnings
from pathlib import Path

import numpy as np

from ..errors import CganError, to_install
from ..paths import whole
from . import elsewhere
from .weights import quantised

NEEDED = ("torch", "onnx", "onnxscript")
LABEL_TYPES = ("int32", "int64")


def export(run, path, label_type="int32"):
    """Write the generator of a `Run` to `path`, which ends in .onnx, and return the path.

    Inputs: noise float32 [N, 100], of an autoencoder point float32 [N, 2], and, where the run has classes, label
    of `label_type` [N], "int32" or "int64", which pnnx needs to make a file for ncnn; output: image float32
    [N, H, W, C] in [-1, 1]. Kernels take as many bits in the file as in the run's own weights, and are float32 when it
    computes; tables of the classes are float32 in the file, too.
    Its metadata hold `run`, `classes` (a JSON list) and `sha256` (of the weights' file).

    Raises CganError where PyTorch, onnx or onnxscript is not installed, and for another type of the labels.
    """
    from ..backend import BACKEND

    path = Path(path)
    if label_type not in LABEL_TYPES:
        raise CganError(f"Labels can be {' or '.join(LABEL_TYPES)}, not {label_type!r}.")
    missing = [name for name in NEEDED if not importlib.util.find_spec(name)]
    if missing:
        raise CganError(f"An .onnx file needs {' and '.join(missing)}; {to_install('onnx')}")
    if BACKEND != "torch":
        return elsewhere.export(run, path, "torch", "--label-type", label_type)
    with whole(path) as new:
        _write(run, new, label_type)
    return path


def blend(path, target):
    """Write the .onnx file of a generator with classes again, as one that draws between classes, too.

    Its input `classes` float32 [N, classes] takes the place of `label`: shares that sum to 1, all on one class for a
    picture of it. So each table that had its row `label` looked up is multiplied by the shares.
    """
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    known = len(json.loads(next(entry.value for entry in model.metadata_props if entry.key == "classes")))
    label = next(given for given in graph.input if given.name == "label")
    batch = label.type.tensor_type.shape.dim[0].dim_param
    for node in graph.node:
        if node.op_type == "Gather" and node.input[1] == "label":
            node.CopyFrom(onnx.helper.make_node("MatMul", ["classes", node.input[0]], node.output))
    graph.input.remove(label)
    graph.input.append(onnx.helper.make_tensor_value_info("classes", onnx.TensorProto.FLOAT, [batch, known]))
    onnx.checker.check_model(model)
    with whole(target) as new:
        onnx.save(model, str(new))


def _write(run, path, label_type):
    import onnx

    generator = run.generator()
    run.draw([0], [0])  # Keras exports a model that has been called
    with warnings.catch_warnings(action="ignore"):  # PyTorch's, of shapes that become fixed: so is a generator's
        generator.export(str(path), format="onnx", verbose=False)
    model = onnx.load(str(path))
    _look_up_by_label(model.graph)
    for given in model.graph.input:
        if given.name == "label":  # Gather, which alone takes it, knows both types
            given.type.tensor_type.elem_type = getattr(onnx.TensorProto, label_type.upper())
    _shrink(model.graph)
    _name_output(model.graph)
    facts = {"run": run.name, "classes": json.dumps(run.class_names), "sha256": run.weights[run.draws_with]}
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _look_up_by_label(graph):
    """Have tables looked up by `label` itself: Keras first wraps negative labels around, which Gather does anyway."""
    follows = {"label"}  # and what Keras makes of it, from constants
    fixed = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            fixed.update(node.output)
        elif node.op_type == "Gather" and node.input[1] in follows:
            node.input[1] = "label"
        elif node.op_type in ("Cast", "Less", "Add", "Where") and set(node.input) <= follows | fixed:
            follows.update(node.output)
    _prune(graph)


def _prune(graph):
    """Take out the nodes whose results nobody uses."""
    used, kept = {result.name for result in graph.output}, []
    for node in reversed(graph.node):
        if used & set(node.output):
            kept.insert(0, node)
            used.update(node.input)
    del graph.node[:]
    graph.node.extend(kept)


def _name_output(graph):
    (result,) = graph.output
    for node in graph.node:
        node.output[:] = ["image" if name == result.name else name for name in node.output]
    result.name = "image"
    result.type.tensor_type.shape.dim[0].dim_param = graph.input[0].type.tensor_type.shape.dim[0].dim_param


def _shrink(graph):
    """Keep kernels in few bits, each followed by what makes it float32 again; a runtime does that once, as it loads.

    Tables of which Gather takes rows stay float32: from int8 ones OpenVINO 2026.4 samples wrong images.
    """
    from onnx import TensorProto, helper, numpy_helper

    def store(array, name):
        graph.initializer.append(numpy_helper.from_array(array, name))

    tables = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    nodes, tensors = [], list(graph.initializer)
    del graph.initializer[:]
    for tensor in tensors:
        kernel, name = numpy_helper.to_array(tensor), tensor.name
        if kernel.dtype != np.float32 or kernel.ndim < 2 or name in tables:
            graph.initializer.append(tensor)
        elif levels := _eight_bits(kernel):
            store(levels[0], f"{name}_levels")
            store(levels[1], f"{name}_scale")
            nodes.append(helper.make_node("Cast", [f"{name}_levels"], [f"{name}_whole"], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))
        else:
            store(kernel.astype("float16"), f"{name}_half")
            nodes.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def _eight_bits(kernel):
    """(int8 levels, float32 scales that broadcast) of a kernel that `weights.quantised` made, else None.

    On the way its axes may have been moved, so each is tried as the one that has the scales.
    """
    for axis in range(kernel.ndim):
        moved = np.moveaxis(kernel, axis, -1)
        levels, scale = quantised(moved)
        if np.allclose(levels * scale, moved, rtol=1e-6, atol=0):
            shape = [-1 if i == axis else 1 for i in range(kernel.ndim)]
            return np.ascontiguousarray(np.moveaxis(levels, -1, axis)), scale.reshape(shape)
    return None
