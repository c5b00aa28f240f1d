"""What is JAX's own: gradients, steps that change nothing in place, the feeding of batches, the device.

JAX compiles functions without side effects. Keras hands such a function the values of all variables and wants the new
ones back; within a `keras.StatelessScope` variables read and write those values instead of their own.
"""

import contextlib
import functools

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from ..errors import CganError, one_line

VERSION = jax.__version__
COMPILED = True  # the whole step is one program

no_gradients = contextlib.nullcontext  # JAX differentiates what it is told to, and nothing else


_around = []  # the scope of the step that is being compiled, if one is


class _Scope(keras.StatelessScope):
    """A scope that starts from the values of the one around it, and knows which variables were written."""

    def __init__(self, weights, values):
        super().__init__()
        self.state_mapping = dict(_around[-1].state_mapping) if _around else {}
        self.state_mapping |= {id(weight): value for weight, value in zip(weights, values, strict=True)}
        self.written = {}

    def add_update(self, update):
        super().add_update(update)
        self.written[id(update[0])] = update[0]


def value_and_gradients(play, players):
    """Run `play()` → (losses, extra) and differentiate each loss with respect to its own player's weights.

    players: one list of Keras variables per loss. Returns losses, extra, and one list of gradients per loss.
    """
    weights, written = [weight for player in players for weight in player], {}

    def losses_of(values):
        with _Scope(weights, values) as scope:
            losses, extra = play()
        written.update(scope.written)
        return losses, (extra, {key: scope.state_mapping[key] for key in scope.written})

    current = [keras.ops.convert_to_tensor(weight) for weight in weights]
    losses, pull, (extra, updates) = jax.vjp(losses_of, current, has_aux=True)
    for key, value in updates.items():  # batch statistics, seeds
        written[key].assign(value)
    gradients, start = [], 0
    for i, player in enumerate(players):
        one_of_them = [keras.ops.ones_like(loss) * (i == k) for k, loss in enumerate(losses)]
        (slopes,) = pull(one_of_them)
        gradients.append(slopes[start : start + len(player)])
        start += len(player)
    return losses, extra, gradients


def step(function):
    """Turns a `train_step(self, data)` or `test_step` into the one without side effects that Keras calls on JAX.

    data: a batch, or batches in a stack [steps, N, …], each of which is one step; see `batches.stacked`.
    """

    def one(self, state, data):
        kinds = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        if len(state) == 4:  # of training; a test has no optimizers
            kinds.insert(2, self.optimizer.variables)
        pairs = [pair for kind, values in zip(kinds, state, strict=True) for pair in zip(kind, values, strict=True)]
        with keras.StatelessScope(pairs) as scope:
            _around.append(scope)
            try:
                logs = function(self, tuple(map(divided, data)))
            finally:
                _around.pop()
        return logs, tuple([scope.get_current_value(variable) for variable in kind] for kind in kinds)

    @functools.wraps(function)
    def stateless(self, state, data):
        images, labels = data
        if labels.ndim == 1:
            return one(self, state, data)

        def next_one(i, carried):
            logs, new = one(self, carried[1], (images[i], labels[i]))
            return jax.tree.map(lambda value, like: value.astype(like.dtype), (logs, new), carried)

        shapes = jax.eval_shape(lambda: one(self, state, (images[0], labels[0]))[0])
        nothing = jax.tree.map(lambda log: jax.numpy.zeros(log.shape, log.dtype), shapes)
        return jax.lax.fori_loop(0, (labels[:, 0] >= 0).sum(), next_one, (nothing, tuple(map(list, state))))

    return stateless


class joined:
    """Several optimizers in the place where Keras looks for one."""

    built = True

    def __init__(self, optimizers):
        self.variables = [variable for optimizer in optimizers for variable in optimizer.variables]


class _UpToDate(keras.callbacks.Callback):
    """Puts the values that the compiled step returned back into the variables, for the callbacks after this one."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.jax_state_sync()


def callbacks():
    """What has to come before all other callbacks of a training."""
    return [_UpToDate()]


def feed(batches):
    """`batches` as they are: on JAX nothing waits at their end."""
    return batches


class _Shared(keras.distribution.DataParallel):
    """Gives each device the same weights and all data; `divided` then tells which part of a batch it works on."""

    def get_data_layout(self, shape):
        return keras.distribution.TensorLayout([None] * len(shape), self.device_mesh)


def divided(tensor):
    """The same tensor [N, …], of which each device that shares the work computes with its part."""
    shares = keras.distribution.distribution()
    if not isinstance(shares, _Shared) or tensor.shape[0] % shares.num_model_replicas:
        return tensor
    axes = [shares.batch_dim_name, *[None] * (tensor.ndim - 1)]
    return keras.distribution.distribute_tensor(tensor, keras.distribution.TensorLayout(axes, shares.device_mesh))


def join(coordinator, machines, machine):
    """Makes this process the `machine`-th, from 1, of so many that train together; waits until all are there."""
    try:
        keras.distribution.initialize(coordinator, machines, machine - 1)
    except Exception as error:  # JAX raises its own, by kind of network
        raise CganError(f"The machines can't be joined at {coordinator}: {one_line(error)}") from None


def machines():
    """(which one this is, from 1, of how many)."""
    return jax.process_index() + 1, jax.process_count()


def any_machine(flag):
    """Whether the flag is set on any of the machines; all of them have to ask."""
    if jax.process_count() == 1:
        return flag
    return bool(multihost_utils.process_allgather(np.array(flag)).any())


@contextlib.contextmanager
def shared(devices, batch_size):
    """Within it, networks are built on so many devices, or on "all", and batches are divided among them."""
    found = keras.distribution.list_devices()
    count = len(found) if devices == "all" else devices
    if not 1 <= count <= len(found):
        raise CganError(f"There is no way to share the work among {count} devices; {_here(len(found))} here.")
    if batch_size % count:
        raise CganError(f"A batch of {batch_size} can't be divided among {count} devices; choose another batch size.")
    keras.distribution.set_distribution(_Shared(devices=found[:count], auto_shard_dataset=False))
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def _here(count):
    return "there is one" if count == 1 else f"there are {count}"


def steps_per_call():
    """Many for a fast card, which waits for Python between two calls; a CPU's steps are long."""
    return 1 if jax.default_backend() == "cpu" else 50


def gpu():
    """(name, has bf16 units) of the first GPU or TPU, or None."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return None
    # NVIDIA's T4 has 7.5, and no bf16 units. A TPU has no such number, AMD's cards have names like gfx90a; both have
    # those units.
    major = str(getattr(device, "compute_capability", "")).partition(".")[0]
    return device.device_kind, not major.isdecimal() or int(major) >= 8
