"""The plain Keras code of a network, written from its layers, so that it is always the code of this very network.

The package builds its networks from tables of numbers. What a table makes is shown here as one would type it:

    noise = keras.Input((100,), name="noise")
    x = layers.Dense(6272)(noise)
    …
    generator = keras.Model([noise, label], pixels)
"""

import inspect
import re
from collections import Counter

import numpy as np

from ..backend import keras

# Settings that say nothing about the network: names, and what Keras adds to each layer's description.
_SILENT = {"name", "dtype", "trainable", "data_format", "batch_input_shape", "batch_shape"}
_LARGE = 16  # numbers; an array of more is not printed
_SIDES = {"kernel_size", "strides", "pool_size", "size"}  # settings that mean (3, 3) when they are 3


def keras_code(network, names=False):
    """Python source that builds a functional Keras model as this one, freshly initialised.

    Only settings that differ from Keras's defaults are written. A value that the very next line uses up is called x,
    every other one is called after its layer. names: whether layers get their names, too, by which saved weights
    find them. Layers of this package are imported from it; all others are Keras's own.
    """
    # Most layers share a precision, which is set once; only those of another one say so.
    usual = Counter(layer.dtype_policy.name for layer in _layers(network)).most_common(1)[0][0]
    code = _Code(names, usual)
    code.model(network)
    head = ["import keras", "from keras import layers" + (", ops" if code.uses_ops else "")]
    head += [f"from {module} import {', '.join(sorted(kinds))}" for module, kinds in sorted(code.own.items())]
    head += ["", *([f'keras.config.set_dtype_policy("{usual}")'] if usual != "float32" else [])]
    return "\n".join([*head, *code.lines]).rstrip() + "\n"


def _layers(network):
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _identifier(name):
    return re.sub(r"\W", "_", name)


class _Code:
    """Lines of source as they are collected."""

    def __init__(self, names, policy):
        self.names, self.policy = names, policy
        self.lines, self.own, self.uses_ops, self.frozen = [], {}, False, False

    def model(self, network):
        """Adds the lines that build a functional model."""
        config = network.get_config()
        descriptions = {layer["name"]: layer for layer in config["layers"]}
        operations = {operation.name: operation for operation in network.operations}
        # Of a model within a model, Keras counts its own making as the first call, but only here.
        ends = [
            (name, call - isinstance(operations[name], keras.Model), index)
            for name, call, index in _endpoints(config["output_layers"])
        ]
        order, consumers = _order(descriptions, ends)
        variables = {}  # of each (layer, call, output)
        for name in operations:
            if isinstance(operations[name], keras.Model):
                self.model(operations[name])
        self.frozen = not network.trainable  # then its layers need not say so, each by itself
        calls = Counter(name for name, _ in order)
        for name in (
            name for name, count in calls.items() if count > 1 and not isinstance(operations[name], keras.Model)
        ):
            self.lines.append(f"{_identifier(name)} = {self.made(operations[name])}")
        for i, (name, call) in enumerate(order):
            operation, following = operations[name], order[i + 1 : i + 2]
            if isinstance(operation, keras.layers.InputLayer):
                variables[name, call, 0] = _identifier(name)
                self.lines.append(f"{_identifier(name)} = {self.input(operation)}")
                continue
            outputs = max([index for layer, at, index in consumers if (layer, at) == (name, call)], default=0) + 1
            only_next = outputs == 1 and consumers[name, call, 0] == following
            stem = "x" if only_next else _identifier(name) + (f"_{call + 1}" if calls[name] > 1 else "")
            if not only_next and isinstance(operation, keras.Model):
                stem += "_output"
            targets = [stem] if outputs == 1 else [f"{stem}_{k + 1}" for k in range(outputs)]
            variables |= {(name, call, k): target for k, target in enumerate(targets)}
            inbound = descriptions[name]["inbound_nodes"][call]
            self.lines.append(f"{', '.join(targets)} = {self.called(operation, inbound, variables, calls[name] > 1)}")
        inputs = [variables[tuple(end)] for end in _endpoints(config["input_layers"])]
        outputs = [variables[end] for end in ends]
        variable = _identifier(network.name)
        named = f', name="{network.name}"' if self.names else ""
        self.lines += [f"{variable} = keras.Model({_listed(inputs)}, {_listed(outputs)}{named})"]
        if not network.trainable:
            self.lines.append(f"{variable}.trainable = False")
        self.lines.append("")

    def input(self, layer):
        """The expression that makes an input."""
        kind = "" if layer.dtype == "float32" else f', dtype="{layer.dtype}"'
        named = f', name="{layer.name}"' if self.names else ""
        return f"keras.Input({tuple(layer.batch_shape[1:])}{kind}{named})"

    def called(self, operation, inbound, variables, shared):
        """The expression of one call of a layer or an operation."""
        texts = [_argument(value, variables) for value in inbound["args"]]
        options = {key: value for key, value in inbound["kwargs"].items() if _tensors(value)}
        texts += [f"{key}={_argument(value, variables)}" for key, value in options.items()]
        if isinstance(operation, keras.Model) or shared:
            return f"{_identifier(operation.name)}({', '.join(texts)})"
        if isinstance(operation, keras.layers.Layer):
            return f"{self.made(operation)}({', '.join(texts)})"
        self.uses_ops = True
        settings = [f"{key}={_value(value)}" for key, value in operation.get_config().items() if key != "name"]
        function = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(operation).__name__).lower()
        return f"ops.{function}({', '.join(texts + settings)})"

    def made(self, layer):
        """The expression that makes a layer, with the settings that differ from its defaults."""
        kind, config = type(layer), layer.get_config()
        parameters = inspect.signature(kind.__init__).parameters
        if kind.__module__.split(".")[0] != "keras":
            self.own.setdefault(kind.__module__, set()).add(kind.__name__)
        made, positional = [], True
        for key, parameter in parameters.items():
            if key in _SILENT or key not in config:
                continue
            value = config[key]
            if key in _SIDES and isinstance(value, (list, tuple)) and len(set(value)) == 1:
                value = value[0]
            text = None if _is_default(value, parameter.default) else _value(value)
            if text is None:
                positional = False  # what follows it needs its name
                continue
            required = positional and parameter.default is inspect.Parameter.empty
            made.append(text if required else f"{key}={text}")
        if layer.weights and not layer.trainable and not self.frozen:
            made.append("trainable=False")
        if layer.dtype_policy.name != self.policy:
            made.append(f'dtype="{layer.dtype_policy.name}"')
        if self.names:
            made.append(f'name="{layer.name}"')
        prefix = "layers." if kind.__module__.split(".")[0] == "keras" else ""
        return f"{prefix}{kind.__name__}({', '.join(made)})"


def _order(descriptions, ends):
    """The calls (layer, call) in the order in which one would write them, each branch in one piece, and who uses what.

    The second is {(layer, call, output): the calls that take it}, the ends of the model among the takers.
    """
    order, consumers, seen = [], {}, set()

    def visit(name, call):
        if (name, call) in seen:
            return
        seen.add((name, call))
        nodes = descriptions[name]["inbound_nodes"]
        for layer, at, index in _tensors([nodes[call]["args"], nodes[call]["kwargs"]]) if nodes else ():
            visit(layer, at)
            consumers.setdefault((layer, at, index), []).append((name, call))
        order.append((name, call))

    for name, call, index in ends:
        visit(name, call)
        consumers.setdefault((name, call, index), []).append("end")
    # Inputs first, as one reads them.
    order.sort(key=lambda one: bool(descriptions[one[0]]["inbound_nodes"]))
    return order, consumers


def _endpoints(described):
    """[[layer, call, output], …], of one end, too, which Keras describes without the outer list."""
    return [described] if described and isinstance(described[0], str) else described


def _tensors(value):
    """(layer, call, output) of each tensor in the arguments of a call, in order."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [tuple(value["config"]["keras_history"])]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [found for part in parts for found in _tensors(part)]


def _argument(value, variables):
    """An argument of a call as source: a variable, a list of them, or a value."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return variables[tuple(value["config"]["keras_history"])]
    if isinstance(value, (list, tuple)) and _tensors(value):
        return f"[{', '.join(_argument(part, variables) for part in value)}]"
    return _value(value)


def _listed(texts):
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _is_default(value, default):
    """Whether a setting, as Keras describes it, is what its layer takes by itself."""
    if isinstance(value, dict) and "class_name" in value and isinstance(default, str):
        known = keras.initializers.get(default)
        return type(known).__name__ == value["class_name"] and {**known.get_config(), "seed": None} == {
            **value["config"],
            "seed": None,
        }
    if isinstance(value, (list, tuple)) and isinstance(default, (list, tuple)):
        return tuple(value) == tuple(default)
    if isinstance(default, (list, tuple)) and len(set(default)) == 1:
        default = default[0]
    return value == default or (value == "linear" and default is None)


def _value(value):
    """A setting as source; None for one that can't be written in a line, such as a large array."""
    if isinstance(value, dict) and "class_name" in value:
        if value["class_name"] == "__numpy__":
            return None
        kind = getattr(keras.initializers, value["class_name"])
        defaults = inspect.signature(kind.__init__).parameters
        parts = {key: part for key, part in value["config"].items() if part != defaults[key].default}
        settings = {key: _value(part) for key, part in parts.items()}
        if None in settings.values():
            return None
        if not settings and value["module"] == "keras.initializers":
            return f'"{value["class_name"].lower()}"'
        inside = ", ".join(f"{key}={text}" for key, text in settings.items())
        return f"{value['module']}.{value['class_name']}({inside})"
    if isinstance(value, np.ndarray) or (isinstance(value, (list, tuple)) and len(value) > _LARGE):
        return None
    if isinstance(value, (list, tuple)):
        parts = [_value(part) for part in value]
        return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    return f'"{value}"' if isinstance(value, str) else repr(value)
