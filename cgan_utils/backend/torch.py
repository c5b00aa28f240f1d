"""What is PyTorch's own: gradients, the feeding of batches, the graphics card."""

import torch

VERSION = str(torch.__version__)

COMPILED = False
STEPS_PER_CALL = 1
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


def gpu():
    """(name, has bf16 units) of the first GPU, or None."""
    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= (8, 0)
