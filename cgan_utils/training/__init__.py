"""From an experiment and images to a run: the loop around the step, its checkpoints and its scores."""
