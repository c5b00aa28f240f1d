"""What is PyTorch's own: gradients, the feeding of batches, the graphics card."""

import torch

VERSION = str(torch.__version__)

COMPILED = False
no_gradients = torch.no_grad


def value_and_gradients(play, players):
    """Run `play()` → (losses, extra) and differentiate each loss with respect to its own player's weights.

    players: one list of Keras variables per loss. Returns losses, extra, and one list of gradients per loss.
    """
    losses, extra = play()
    pairs = zip(losses, players, strict=True)
    gradients = [
        torch.autograd.grad(loss, [weight.value for weight in weights], retain_graph=True) for loss, weights in pairs
    ]
    return [loss.detach() for loss in losses], extra, gradients


def step(function):
    """A training or test step, as it is: variables are changed in place."""
    return function


def joined(optimizers):
    """None: Keras need not know of the optimizers."""


def callbacks():
    """What has to come before all other callbacks of a training: nothing."""
    return []


def feed(batches):
    """`batches` as they are: on PyTorch nothing waits at their end."""
    return batches


def steps_per_call():
    """One: Python leads each step."""
    return 1


def machines():
    """(which one this is, from 1, of how many)."""
    return 1, 1


def any_machine(flag):
    """Whether the flag is set on any of the machines."""
    return flag


def divided(tensor):
    """The same tensor: one device computes with all of it."""
    return tensor


def gpu():
    """(name, has bf16 units) of the first GPU, or None."""
    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= (8, 0)
