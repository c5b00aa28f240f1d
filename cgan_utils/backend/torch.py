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


def feed(batches):
    """`batches` as they are: on PyTorch nothing waits at their end."""
    return batches


def gpu():
    """(name, has bf16 units) of the first GPU, or None."""
    if torch.backends.mps.is_available():  # where Keras then computes, too
        return "Apple GPU", False
    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= (8, 0)
