"""What is JAX's own: gradients, steps that change nothing in place, the feeding of batches, the device.

JAX compiles functions without side effects. Keras hands such a function the values of all variables and wants the new
ones back; within a `keras.StatelessScope` variables read and write those values instead of their own.
"""

import contextlib
import functools

import jax
import keras

VERSION = jax.__version__
COMPILED = True  # the whole step is one program
# A fast card waits for Python between two calls. On a CPU a step is long, and a loop of them gains nothing.
STEPS_PER_CALL = 1 if jax.default_backend() == "cpu" else 50

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
                logs = function(self, data)
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


def gpu():
    """(name, has bf16 units) of the first GPU or TPU, or None."""
    device = jax.devices()[0]
    return None if device.platform == "cpu" else (device.device_kind, True)
