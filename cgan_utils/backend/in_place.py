"""What TensorFlow and PyTorch share: variables that change in place, one device, and Python leading each step."""


def step(function):
    """A training or test step, as it is: variables are changed in place."""
    return function


def joined(optimizers):
    """None: Keras need not know of the optimizers."""


def callbacks():
    """What has to come before all other callbacks of a training: nothing."""
    return []


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
