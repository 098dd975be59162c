"""Training: a recipe, a compiled epoch for each Keras backend, checkpoints, and the run that ties them."""
