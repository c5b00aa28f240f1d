"""Train a conditional GAN on a graphics card, five steps as one CUDA graph.

    KERAS_BACKEND=torch python studies/train_with_graphs.py modelo_5_cifar10_v1 --out runs/modelo_5_cifar10_v1

With batches of 16, a step is a thousand small operations, and a fast card waits for Python to ask for the next one. A
graph is recorded once, and replayed without Python. The runs whose cards say "CUDA graphs" were trained so.

The steps are those of `ConditionalGAN.train_step`, and `training.train` does all that is around them. Noise and dropout
come from PyTorch's own generator, since a seed can't be read while a graph runs: a training that was interrupted goes
on from its last whole epoch (--resume), but not bit for bit. Without a card the same steps are taken one by one.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from cgan_utils import backend
from cgan_utils.backend import keras, value_and_gradients
from cgan_utils.errors import CganError
from cgan_utils.models.architectures import LATENT
from cgan_utils.models.experiments import experiment
from cgan_utils.models.layers import to_signed
from cgan_utils.training import callbacks, checkpoints
from cgan_utils.training import train as training
from cgan_utils.training.batches import InBatches, order

STEPS = 5  # in a graph; where an epoch is no multiple of it, steps are taken one by one
WARM_UP = 6  # steps before recording, in which cuDNN chooses its algorithms
QUEUE = 200  # graphs that may wait for the card


def adam(optimizer, gradients, variables):
    """Keras's Adam, with no number that has to be copied to the card on the way."""
    means, velocities = _slots(optimizer, "_momentums", variables), _slots(optimizer, "_velocities", variables)
    beta_1, beta_2, step = optimizer.beta_1, optimizer.beta_2, optimizer.iterations.value.float() + 1
    rate = optimizer.learning_rate.value * torch.sqrt(1 - torch.pow(beta_2, step)) / (1 - torch.pow(beta_1, step))
    torch._foreach_mul_(means, beta_1)
    torch._foreach_add_(means, gradients, alpha=1 - beta_1)
    torch._foreach_mul_(velocities, beta_2)
    torch._foreach_add_(velocities, torch._foreach_mul(gradients, gradients), alpha=1 - beta_2)
    roots = torch._foreach_sqrt(velocities)
    torch._foreach_add_(roots, optimizer.epsilon)
    _move(variables, torch._foreach_div(torch._foreach_mul(means, rate), roots))


def rmsprop(optimizer, gradients, variables):
    """The same of Keras's RMSprop."""
    velocities, rate = _slots(optimizer, "_velocities", variables), optimizer.learning_rate.value
    torch._foreach_mul_(velocities, optimizer.rho)
    torch._foreach_add_(velocities, torch._foreach_mul(gradients, gradients), alpha=1 - optimizer.rho)
    roots = torch._foreach_sqrt(torch._foreach_add(velocities, optimizer.epsilon))
    _move(variables, torch._foreach_div(torch._foreach_mul(gradients, rate), roots))


def _slots(optimizer, name, variables):
    return [getattr(optimizer, name)[optimizer._get_variable_index(variable)].value for variable in variables]


def _move(variables, steps):
    torch._foreach_add_([variable.value for variable in variables], steps, alpha=-1)


def dropout(inputs, rate, noise_shape=None, seed=None):
    """In place of Keras's, which reads its seed from the card."""
    return torch.nn.functional.dropout(inputs, p=rate, training=True)


class Steps:
    """Steps of a simultaneous game on images that lie on the card; `epoch` takes as many as an epoch has."""

    def __init__(self, gan, data, batch_size):
        if getattr(gan, "update", None) != "simultaneous" or gan.label_seed:
            raise CganError(
                "Graphs hold simultaneous GANs without noisy labels only; train this one with `cgan train`."
            )
        self.gan, self.device = gan, "cuda" if torch.cuda.is_available() else "cpu"
        self.batch_size, self.count = batch_size, len(data.x_train) // batch_size
        self.images = torch.as_tensor(np.ascontiguousarray(data.x_train)).to(self.device)
        self.labels = torch.as_tensor(np.asarray(data.y_train, "int32")).to(self.device)
        self.order = torch.zeros(self.count * batch_size, dtype=torch.int64, device=self.device)
        self.done = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.losses = torch.zeros(self.count, 2, device=self.device)
        self.within = torch.arange(batch_size, device=self.device)
        self.players = [gan.discriminator, gan.generator]
        self.optimizers = [gan.d_optimizer, gan.g_optimizer]
        self.graph = None

    def step(self):
        """`ConditionalGAN.train_step` on the next batch, all of it on the card."""
        gan, weights = self.gan, [player.trainable_variables for player in self.players]
        batch = self.order[(self.done * self.batch_size + self.within) % len(self.order)]
        real, labels = to_signed(self.images[batch]), self.labels[batch]
        noise = torch.randn(self.batch_size, LATENT, device=self.device)
        losses, logits, gradients = value_and_gradients(lambda: gan.both_losses(real, labels, noise), weights)
        with torch.no_grad():
            for optimizer, slopes, variables in zip(self.optimizers, gradients, weights, strict=True):
                move = adam if isinstance(optimizer, keras.optimizers.Adam) else rmsprop
                move(optimizer, list(slopes), variables)
                optimizer.iterations.value.add_(1)
            gan.scores.update_state(*logits)
            self._average()
            self.losses.index_copy_(0, self.done % self.count, torch.stack(losses).float()[None])
            self.done.add_(1)

    def _average(self):
        step = self.gan.g_optimizer.iterations.value.float()
        keep = torch.clamp((1 + step) / (10 + step), max=self.gan.averaging)
        means = [weight.value for weight in self.gan.averaged.weights]
        torch._foreach_mul_(means, keep)
        torch._foreach_add_(means, torch._foreach_mul([w.value.detach() for w in self.gan.generator.weights], 1 - keep))

    def record(self):
        """Record the graph; what the first steps changed is put back."""
        state = [*(variable.value for variable in checkpoints._variables(self.gan).values()), self.done]
        before = [tensor.detach().clone() for tensor in state]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.step()
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=stream, capture_error_mode="thread_local"):
            for _ in range(STEPS):
                self.step()
        with torch.no_grad():
            for tensor, old in zip(state, before, strict=True):
                tensor.copy_(old)

    def epoch(self, order):
        """Take the steps of an epoch over the images in this order; returns float32 [steps, 2], their losses."""
        self.order.copy_(torch.as_tensor(order[: len(self.order)]))
        self.done.zero_()
        if self.device == "cuda" and not self.graph and self.count % STEPS == 0:
            self.record()
        for i in range(self.count // STEPS if self.graph else self.count):
            (self.graph.replay if self.graph else self.step)()
            if i % QUEUE == QUEUE - 1 and self.graph:
                torch.cuda.current_stream().synchronize()
        return self.losses.cpu().numpy()


def fit(gan, data, settings, progress, around, verbose):
    """In place of `training._fit`: the same callbacks around epochs, none around steps."""
    if settings.mirror or settings.group > 1 or settings.schedule != "constant":
        raise CganError("Graphs know no mirrored images, no groups and no falling rates; use `cgan train`.")
    if progress.step:
        raise CganError("This checkpoint lies within an epoch, where no graph begins; go on with `cgan train`.")
    steps = len(data.x_train) // settings.batch_size
    torch.manual_seed(settings.seed + 1000 * progress.epoch)
    game = Steps(gan, data, settings.batch_size)
    tests = InBatches(data.x_test, data.y_test, len(data.x_test))
    for callback in around:
        callback.set_model(gan)
        callback.set_params({"steps": steps, "epochs": settings.epochs, "verbose": verbose})
        callback.on_train_begin()
    for epoch in range(progress.epoch, settings.epochs):
        gan.reset_metrics()
        for callback in around:
            callback.on_epoch_begin(epoch)
        losses = game.epoch(order(data.y_train, settings.seed, epoch))
        progress.losses += map(tuple, losses.tolist())
        logs = dict(zip(gan.loss_names, losses.mean(axis=0, dtype=float).tolist(), strict=True))
        logs |= {name: float(value) for name, value in gan.scores.result().items()}
        logs = dict(sorted(logs.items()))
        judged = gan.evaluate(tests, return_dict=True, verbose=0)
        logs |= {f"val_{name}": value for name, value in sorted(judged.items())}
        for callback in around:
            if isinstance(callback, callbacks.Interruptible):
                callback.on_train_batch_end(steps - 1)  # looks at the clock
            callback.on_epoch_end(epoch, logs)
        print(f"epoch {epoch + 1}: " + ", ".join(f"{name} {logs[name]:.3f}" for name in gan.loss_names), flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--epochs", type=int, help="other than published")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside the folder")
    parser.add_argument("--minutes", type=float, help="stop after so long, at the end of an epoch")
    options = vars(parser.parse_args(arguments))
    try:
        train(options.pop("experiment"), options)
    except CganError as error:
        sys.exit(str(error))


def train(name, options):
    """`training.train`, by these steps; raises CganError."""
    if backend.BACKEND != "torch":
        raise CganError("Graphs are recorded by PyTorch; set KERAS_BACKEND to torch and start again.")
    settings = experiment(name)
    torch.backends.cudnn.benchmark = True
    keras.src.backend.random.dropout = dropout
    training._fit = fit
    plain = backend.machine()
    backend.machine = lambda: f"{plain}, CUDA graphs"
    training.train(settings, **options)


if __name__ == "__main__":
    main()
