"""Networks, losses and training steps: all that a paper would call the method."""
