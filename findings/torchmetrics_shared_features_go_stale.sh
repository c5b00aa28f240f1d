#!/usr/bin/env bash
# torchmetrics 1.9.0 (torch 2.13.0): FeatureShare takes a refilled buffer for the batch that was in it before.
#
# Expected: FeatureShare([FID, KID]) gives what FID and KID give alone; it only spares the second pass.
# Happens:  features are remembered under the tensor object, not under its contents. A loop that refills one batch
#           tensor in place (a preallocated buffer) gets the first batch's features for every batch: real and
#           generated pictures look equal, and FID is 0 without a warning. The memory is put into the network itself,
#           so that a measure outside of the FeatureShare that uses the same network is wrong from then on, too.
#           reset() does not empty it.
#
# Output seen:
#   FID alone, one buffer for all batches:  0.370
#   FeatureShare, a new tensor per batch:   0.370
#   FeatureShare, one buffer for all:       0.000
#   the FID of the first line, again:       0.000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6

cat > compare.py <<'PY'
import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance
from torchmetrics.wrappers import FeatureShare

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 16, bias=False))
network.num_features = 16
real = torch.rand(500, 3, 8, 8) * 0.5 + 0.1
drawn = torch.rand(500, 3, 8, 8) * 0.5 + 0.4


@torch.no_grad()
def fid_of(measure, buffer):
    measure.reset()
    for pictures, is_real in (real, True), (drawn, False):
        for batch in pictures.split(50):
            measure.update(batch if buffer is None else buffer.copy_(batch), real=is_real)
    result = measure.compute()
    return f"{abs(float(result['FrechetInceptionDistance'] if isinstance(result, dict) else result)):.3f}"


buffer = torch.empty(50, 3, 8, 8)
fid = FrechetInceptionDistance(network)
print("FID alone, one buffer for all batches: ", fid_of(fid, buffer))
shared = FeatureShare([FrechetInceptionDistance(network), KernelInceptionDistance(network, subset_size=100)])
print("FeatureShare, a new tensor per batch:  ", fid_of(shared, None))
print("FeatureShare, one buffer for all:      ", fid_of(shared, buffer))
print("the FID of the first line, again:      ", fid_of(fid, buffer))
PY
venv/bin/python -W ignore compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
FID alone, one buffer for all batches:  0.370
FeatureShare, a new tensor per batch:   0.370
FeatureShare, one buffer for all:       0.000
the FID of the first line, again:       0.000
END
