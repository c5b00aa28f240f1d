"""The files in which a generator leaves for use without this package; see `Run.export`."""

import json
import zipfile

from ..errors import CganError
from ..paths import whole

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


def export(run, path):
    """Write the generator of a `Run` into a file whose ending says the form, and return its path."""
    ending = path.suffix.lower()
    if ending == ".onnx":
        from . import onnx

        return onnx.export(run, path)
    if ending != ".keras":
        raise CganError(f"{path} must end in .keras, which Keras 3.8 and newer open, or in .onnx, for other runtimes.")
    return _keras(run, path)


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
