"""Networks that train in a second."""

from cgan_utils.models import architectures

TINY = architectures.Architecture(
    base=4, up=((4, 4, 2), (4, 4, 2)), output="conv", output_kernel=3, down=((4, 3, 2), (4, 3, 2)), output_dropout=0.4
)


TINY_UNCONDITIONAL = architectures.Unconditional(
    start=7, base=4, up=((4, 4, 2),), output=(4, 2), down=((4, 4, 2), (4, 4, 2), (4, 4, 1)), down_norm=True, dropout=0.3
)
