"""What is TensorFlow's own: gradients, the feeding of batches, the graphics card."""

import contextlib
import functools
import itertools
import os
import types

import keras
import tensorflow as tf

VERSION = tf.__version__
COMPILED = False  # XLA's convolutions are several times slower on a CPU

tf.get_logger().setLevel("ERROR")  # it warns of 'retracing' whenever images are drawn in a new number


def threads():
    """How many threads TensorFlow was told to take for one operation; 0 if nobody did."""
    told = os.environ.get("TF_NUM_INTRAOP_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    first = told.split(",")[0].strip()  # OpenMP takes a list, one number for each level of nesting
    return tf.config.threading.get_intra_op_parallelism_threads() or (int(first) if first.isdecimal() else 0)


no_gradients = contextlib.nullcontext  # TensorFlow records nothing outside a tape


def value_and_gradients(play, players):
    """Run `play()` → (losses, extra) and differentiate each loss with respect to its own player's weights.

    players: one list of Keras variables per loss. Returns losses, extra, and one list of gradients per loss.
    """
    with tf.GradientTape(persistent=True) as tape:
        losses, extra = play()
    gradients = [tape.gradient(loss, weights) for loss, weights in zip(losses, players, strict=True)]
    # An embedding's gradient comes as sparse rows; Keras's optimizers fail on those if they hold a NaN.
    return losses, extra, [[tf.convert_to_tensor(slope) for slope in slopes] for slopes in gradients]


def feed(batches):
    """A generator or `PyDataset` of batches of arrays in a form that `fit` and `evaluate` leave without delay.

    Keras reads either through tf.data, with autotuning. A thread of it looks at the pipeline after 10, 20, 40, …
    milliseconds, at most a minute, and often the pipeline's end waits for the thread's next look: for as long
    again as it was in use. With nothing to tune there is no thread. Whatever else `fit` takes comes back as it is.
    """
    if isinstance(batches, keras.utils.PyDataset):
        first, count = batches[0], len(batches)
        read = functools.partial(map, batches.__getitem__, range(count))
    elif isinstance(batches, types.GeneratorType):
        first, count = next(batches), None
        read = functools.partial(itertools.chain, [first], batches)
    else:
        return batches
    shapes = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in first)
    dataset = tf.data.Dataset.from_generator(read, output_signature=shapes).prefetch(2)
    if count:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def gpu():
    """(name, has bf16 units) of the first GPU, or None."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("device_name", "GPU"), details.get("compute_capability", (0, 0)) >= (8, 0)
