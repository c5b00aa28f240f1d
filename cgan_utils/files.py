"""The names of the files in a run's folder; `results.run` says what is in each."""

RECORD, CARD, HISTORY, LOSSES, METRICS = "run.json", "README.md", "history.csv", "losses.npz", "metrics.json"
EVOLUTION = "evolution"  # a folder of pictures
LAST, AVERAGED, BEST = "generator.safetensors", "generator_averaged.safetensors", "generator_best.safetensors"
ENCODER = "encoder.safetensors"
