#!/usr/bin/env bash
# Keras 3.15.1 (torch 2.13.0 as backend): SpectralNormalization overwrites the weights that it should only divide.
#
# Expected: as in the paper (Miyato et al., 2018) and in torch.nn.utils.parametrizations.spectral_norm: the layer keeps
#           its kernel W and computes with W / sigma(W), in training and out of it, and the gradient goes through sigma.
#           The output then does not depend on the length of W, so the gradient stands at a right angle to W.
# Happens:  each call with training=True assigns W / sigma to W itself. Calls alone, without an optimizer, thus change
#           what is saved (so a generator's step changes the discriminator that it only asks). A call with
#           training=False before the first one in training computes with the raw W, sigma 3. The gradient leaves sigma
#           out: it has a part along W, which an optimizer follows and the next call throws away.
#
# Output seen (sigma: the largest singular value; a Dense kernel with sigma 3):
#   built and called with training=False: sigma of the kernel in use 3.00
#   called 50 times with training=True:   sigma of the stored kernel 1.00
#   torch, the same:                      sigma in use 1.00, of the stored kernel 3.00
#   gradient along the kernel (cosine):   keras 0.8, torch 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet keras==3.15.1 torch==2.13.0 numpy==2.4.6

cat > compare.py <<'PY'
import keras
import numpy as np
import torch
from torch.nn.utils.parametrizations import spectral_norm


def sigma(matrix):
    return f"{np.linalg.norm(matrix.detach().cpu().numpy(), 2):.2f}"


def cosine(gradient, kernel):
    return f"{abs(float((gradient * kernel).sum().detach() / gradient.norm() / kernel.norm().detach())):.1f}"


keras.utils.set_random_seed(0)
raw = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
raw *= 3 / np.linalg.norm(raw, 2)
pictures = torch.tensor(np.random.default_rng(1).normal(size=(16, 8)).astype("float32"))

layer = keras.layers.SpectralNormalization(keras.layers.Dense(4, use_bias=False))
layer.build((16, 8))
layer.layer.kernel.assign(raw)
layer(pictures, training=False)
print("built and called with training=False: sigma of the kernel in use", sigma(layer.layer.kernel.value))
for _ in range(50):
    layer(pictures, training=True)
print("called 50 times with training=True:   sigma of the stored kernel", sigma(layer.layer.kernel.value))

peer = torch.nn.Linear(8, 4, bias=False)
peer.weight.data = torch.tensor(raw.T.copy())
spectral_norm(peer)
for _ in range(50):
    peer(pictures)
stored = peer.parametrizations.weight.original
print("torch, the same:                      sigma in use", sigma(peer.weight), end=", ")
print("of the stored kernel", sigma(stored))

kernel = layer.layer.kernel.value
(layer(pictures, training=True) ** 2).sum().backward()
(peer(pictures) ** 2).sum().backward()
cosines = cosine(kernel.grad, kernel), cosine(stored.grad, stored)
print("gradient along the kernel (cosine):   keras {}, torch {}".format(*cosines))
PY
KERAS_BACKEND=torch KERAS_HOME=$folder venv/bin/python compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
built and called with training=False: sigma of the kernel in use 3.00
called 50 times with training=True:   sigma of the stored kernel 1.00
torch, the same:                      sigma in use 1.00, of the stored kernel 3.00
gradient along the kernel (cosine):   keras 0.8, torch 0.0
END
