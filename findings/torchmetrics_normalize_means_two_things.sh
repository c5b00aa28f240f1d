#!/usr/bin/env bash
# torchmetrics 1.9.0 (torch 2.13.0): with a network of one's own, normalize=True scales for InceptionScore alone.
#
# Expected: the four measures with normalize=True take the same pictures in [0, 1] and show the same network the same
#           input, as they do with the Inception network that comes with them.
# Happens:  InceptionScore hands the network uint8 in 0..255; FID, KID and MiFID hand it the floats as they came. A
#           network that divides by 255 itself is right in the first and sees nearly black pictures in the others,
#           where the distance shrinks by 255 squared to about 0, without a warning. (The pages of FID and KID say
#           that a network of one's own gets what it is given; those of InceptionScore and MiFID say nothing of it.)
#
# Output seen:
#   InceptionScore: the network is given torch.uint8, at most 255
#   FID:            the network is given torch.float32, at most 1
#   KID:            the network is given torch.float32, at most 1
#   MiFID:          the network is given torch.float32, at most 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6

cat > compare.py <<'PY'
import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance
from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance


class Network(torch.nn.Module):
    num_features = 16

    def forward(self, pictures):
        self.given = f"{pictures.dtype}, at most {float(pictures.max()):g}"
        return pictures.float().flatten(1)[:, :16] / 255


pictures = torch.linspace(0, 1, 20 * 192).reshape(20, 3, 8, 8)
network = Network()
InceptionScore(network, normalize=True).update(pictures)
print("InceptionScore: the network is given", network.given)
for name, measure in (
    ("FID:", FrechetInceptionDistance),
    ("KID:", KernelInceptionDistance),
    ("MiFID:", MemorizationInformedFrechetInceptionDistance),
):
    network = Network()
    measure(network, normalize=True).update(pictures, real=True)
    print(f"{name:15} the network is given", network.given)
PY
venv/bin/python -W ignore compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
InceptionScore: the network is given torch.uint8, at most 255
FID:            the network is given torch.float32, at most 1
KID:            the network is given torch.float32, at most 1
MiFID:          the network is given torch.float32, at most 1
END
