"""Keras models that others trained: read, brought to pixels in and probabilities out, and told apart from guesses."""
