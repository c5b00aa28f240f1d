"""The shared package of the cGAN notebooks. Importing it is instant: Keras loads only when a network is needed."""

import os

# TensorFlow prints notices about missing GPUs and graph rewrites at error level; true errors arrive as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
