"""The files in which a generator leaves for use without this package; see `Run.export`."""

import importlib.util
import json
import os
import zipfile

from ..errors import CganError
from ..paths import whole
from . import elsewhere, hub

# What newer versions than Keras 3.8 write of a layer, with what it says where nothing was asked for. Older ones refuse
# to open a file that has it.
NEWER = {
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "input_axes": None,
    "output_axes": None,
}


def export(run, path, label_type="int32"):
    """Write the generator of a `Run` into a file whose ending says the form, and return its path; see `Run.export`."""
    ending = path.suffix.lower()
    if ending == ".onnx":
        from . import onnx

        return onnx.export(run, path, label_type)
    if label_type != "int32":
        raise CganError(f"Labels of another type than int32 are for .onnx files only, and {path} is none.")
    if ending not in FORMS:
        raise CganError(
            f"{path} must end in .keras, which Keras 3.8 and newer open, in .onnx, for other runtimes, in .tflite, for "
            "LiteRT, or be a folder, without an ending, for the Hugging Face Hub."
        )
    return FORMS[ending](run, path)


def _keras(run, path):
    with whole(path) as new:
        full = new.with_suffix(".saved.keras")  # Keras knows no capitals
        try:
            run.generator().save(full)
            with zipfile.ZipFile(full) as saved, zipfile.ZipFile(new, "w") as file:
                for member in saved.infolist():
                    content = saved.read(member)
                    if member.filename == "config.json":
                        content = json.dumps(_without_newer(json.loads(content))).encode()
                    file.writestr(member, content)
        finally:
            full.unlink(missing_ok=True)
    return path


def _without_newer(config):
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key not in NEWER or value != NEWER[key]}
        return {key: _without_newer(value) for key, value in kept.items()}
    return [_without_newer(value) for value in config] if isinstance(config, list) else config


def _litert(run, path):
    """A .tflite file. Inputs: noise float32 [N, 100], label int32 [N]; output_0: float32 [N, H, W, C] in [-1, 1]."""
    from ..backend import BACKEND, keras

    if not importlib.util.find_spec("tensorflow"):
        raise CganError("A .tflite file needs tensorflow; install it beside this package.")
    if BACKEND != "tensorflow":
        return elsewhere.export(run, path, "tensorflow")
    generator = run.generator()
    # LiteRT alone has no convolution of images whose size it does not know, as it does not after Keras's UpSampling2D.
    model = keras.models.clone_model(generator, clone_function=_of_known_size)
    model.set_weights(generator.get_weights())
    with whole(path) as new:
        small = new.with_suffix(".tflite")  # Keras knows no capitals
        try:
            model.export(str(small), format="litert", verbose=False)
        except ValueError as error:
            if "format" not in str(error):
                raise
            raise CganError(f"Keras {keras.__version__} can't write .tflite files; a newer one can.") from None
        os.replace(small, new)
    return path


def _of_known_size(layer):
    from ..backend import keras

    if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
        height, width = layer.output.shape[1:3]
        return keras.layers.Resizing(height, width, interpolation="nearest", name=layer.name)
    return layer.__class__.from_config(layer.get_config())


FORMS = {".keras": _keras, ".tflite": _litert, "": hub.export}
