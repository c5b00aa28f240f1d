"""A generator as an ONNX file, the format that other runtimes read, browsers among them.

Keras writes it from PyTorch's backend; in a session of another backend a process of its own does.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from ..errors import CganError
from ..paths import whole

NEEDED = ("torch", "onnx", "onnxscript")


def export(run, path):
    """Write the generator of a `Run` to `path`, which ends in .onnx, and return the path.

    Inputs: noise float32 [N, 100] and, where the run has classes, label int32 [N]; output: image float32 [N, H, W, C]
    in [-1, 1]. Kernels are float16 in the file and float32 when it computes.
    Its metadata hold `run`, `classes` (a JSON list) and `sha256` (of the weights' file).

    Raises CganError where PyTorch, onnx or onnxscript is not installed.
    """
    from ..backend import BACKEND

    path = Path(path)
    missing = [name for name in NEEDED if not importlib.util.find_spec(name)]
    if missing:
        raise CganError(f"An .onnx file needs {' and '.join(missing)}; install: pip install 'cgan-utils[onnx]'.")
    if BACKEND == "torch":
        with whole(path) as new:
            _write(run, new)
        return path
    command = [sys.executable, "-m", "cgan_utils", "export", str(run.path), str(path)]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given."])[-1]
        raise CganError(f"{run.name} could not be written as ONNX: {said.removeprefix('cgan: ')}")
    return path


def _write(run, path):
    import onnx

    generator = run.generator()
    run.draw([0], [0])  # Keras exports a model that has been called
    generator.export(str(path), format="onnx", verbose=False)
    model = onnx.load(str(path))
    _halve(model.graph)
    facts = {"run": run.name, "classes": json.dumps(run.class_names), "sha256": run.weights[run.draws_with]}
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _halve(graph):
    """Keep kernels as float16, each followed by a cast back to float32, which a runtime does once, when it loads."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        kernel = numpy_helper.to_array(tensor)
        if kernel.dtype == np.float32 and kernel.ndim > 1:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(kernel.astype("float16"), f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
