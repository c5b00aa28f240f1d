"""The distance that papers call FID (Heusel et al. 2017), through torchmetrics; it can't stand beside their numbers.

As many drawings as there are test images are compared with these, 10,000 with 10,000 of CIFAR-10. Papers mostly compare
50,000 drawings with the 50,000 training images, and from fewer images the distance comes out larger: take it as a hint
from above of what they would report, and compare it only with what was measured in this way.

It needs the extra `fid` and the weights of Inception, which torch-fidelity fetches from the web the first time. That
network knows photographs: of grey digits, enlarged from 28 to 299 pixels, it says little. The evaluators say more.
"""

import numpy as np

from ..errors import CganError, to_install
from ..models.sampling import draw

BATCH = 100


def inception_fid(run, real, extractor=2048):
    """The distance of as many drawings as there are `real` images, uint8 [N, H, W, C], from these: a float.

    The drawings are of all classes in turn, from seeds 0 to N - 1. extractor: 2048 for Inception's features, or a
    PyTorch module: uint8 [N, 3, H, W] → [N, num_features]. Raises CganError if something is missing.
    """
    try:
        import torch
        from torchmetrics.image.fid import FrechetInceptionDistance

        metric = FrechetInceptionDistance(extractor)
    except ModuleNotFoundError:
        raise CganError(f"The Inception FID needs PyTorch and more; {to_install('fid')}") from None
    except OSError as error:
        raise CganError(f"The weights of Inception can't be fetched ({error}); try again with a connection.") from None
    for start in range(0, len(real), BATCH):
        seeds = np.arange(start, min(start + BATCH, len(real)))
        drawn = draw(run.generator(), seeds % len(run.class_names), seeds)
        for images, is_real in ((real[start : start + BATCH], True), (drawn, False)):
            in_colour = np.broadcast_to(images, (*images.shape[:3], 3)).transpose(0, 3, 1, 2)
            metric.update(torch.from_numpy(in_colour.copy()), real=is_real)
    return float(metric.compute())
