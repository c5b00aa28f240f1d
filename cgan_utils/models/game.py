"""What every trained model of the series has in common, so that one `train` serves them all."""

from ..backend import COMPILED, callbacks, copied, feed, joined, keras, no_gradients, step, value_and_gradients
from ..files import BEST, ENCODER, LAST
from .sampling import draw

ops = keras.ops


class Game(keras.Model):
    """A Keras model that `training.train` can train, record, interrupt and resume.

    loss_names: the parts of its loss, which name columns of the history and of `batch_losses`, a row for each of the
    last steps, the newest at the end. `generator` draws; `kept` says which networks a run stores, by file name. A
    subclass adds `train_step` and `test_step`, both on batches (uint8 images [N, H, W, C], integer labels [N]).
    """

    loss_names = ()
    players = ()  # names of the attributes that hold the networks in training
    column = "one class and one noise vector per column"  # what sets the columns of drawings apart

    def __init__(self, name):
        super().__init__(name=name)
        self.mean_losses = [keras.metrics.Mean(name=loss) for loss in self.loss_names]
        self.best = None  # a copy of the generator from its best epoch, where epochs are scored
        self.built = True

    def __init_subclass__(cls, **options):
        """Hands each step to the backend, which may have to call it in a way of its own."""
        super().__init_subclass__(**options)
        for name in ("train_step", "test_step"):
            if name in vars(cls):
                setattr(cls, name, step(vars(cls)[name]))

    def compile(self, optimizers, steps_per_call=1, **options):
        """optimizers: {optimizer: the variables it moves}. Built here, so that a checkpoint can restore their state.

        steps_per_call: on JAX `fit` takes batches in stacks of so many, too, and compiles them into one program.
        """
        shape = (steps_per_call, len(self.loss_names))
        self.batch_losses = self.add_weight(shape=shape, trainable=False, initializer="zeros", name="batch_losses")
        # Without `optimizer=None` Keras would make, and save, an RMSprop that nobody uses.
        super().compile(optimizer=None, **{"jit_compile": COMPILED, **options})
        for optimizer, variables in optimizers.items():
            optimizer.build(variables)
        self.optimizers = list(optimizers)
        self.optimizer = joined(self.optimizers)

    def fit(self, x=None, *args, validation_data=None, **options):
        """Keras's own, but it doesn't wait at the end of its data; see `backend.feed`."""
        options["callbacks"] = [*callbacks(), *(options.get("callbacks") or [])]
        return super().fit(feed(x), *args, validation_data=feed(validation_data), **options)

    def evaluate(self, x=None, *args, **options):
        """Keras's own, without its wait at the end of the data; see `backend.feed`."""
        return super().evaluate(feed(x), *args, **options)

    @property
    def metrics(self):
        return self.mean_losses

    @property
    def drawer(self):
        """The generator whose drawings are shown and scored, and that a run draws with."""
        return self.generator

    @property
    def networks(self):
        """{name: network}, all that is being trained."""
        return {name: getattr(self, name) for name in self.players}

    @property
    def kept(self):
        """{file name: network} of what is worth keeping."""
        best = {BEST: self.best} if self.best else {}
        return {LAST: self.generator, **best}

    def add_best(self):
        """Make room for the generator of the best epoch; see `scoring.Score`."""
        self.best = copied(self.drawer)

    def call(self, inputs, training=False):
        """(noise [N, 100], and labels [N] if it knows classes) → images [N, H, W, C] in [-1, 1]."""
        return self.generator(inputs, training=training)

    def paint(self, labels, seeds):
        """uint8 images [N, H, W, C] that show how far the training is: the same ones each time."""
        return draw(self.drawer, labels, seeds)

    def log(self, losses, remember=True):
        """Take down the losses of a batch; returns the means so far, as Keras expects of a step."""
        if remember:
            self.batch_losses.assign(ops.concatenate([self.batch_losses[1:], ops.stack(losses)[None]]))
        for metric, loss in zip(self.mean_losses, losses, strict=True):
            metric.update_state(loss)
        return self.get_metrics_result()


class Descent(Game):
    """A game without an opponent: one optimizer moves all players down one loss, the sum of those in `loss_names`."""

    def compile(self, optimizer, **options):
        super().compile({optimizer: self.moved}, **options)

    @property
    def moved(self):
        """The variables that the optimizer moves."""
        return [variable for network in self.networks.values() for variable in network.trainable_variables]

    def descend(self, judge):
        """One step. judge() → (losses, anything else); it is called once, and what it returned is handed back."""

        def play():
            losses, extra = judge()
            return [sum(losses)], (losses, extra)

        _, judged, (gradients,) = value_and_gradients(play, [self.moved])
        with no_gradients():
            self.optimizers[0].apply(gradients, self.moved)
        return judged


class EncoderDecoder(Descent):
    """An encoder and a decoder, which is the `generator`."""

    players = ("generator", "encoder")

    def __init__(self, name, encoder, decoder):
        super().__init__(name=name)
        self.encoder, self.generator = encoder, decoder

    @property
    def kept(self):
        return {**super().kept, ENCODER: self.encoder}
