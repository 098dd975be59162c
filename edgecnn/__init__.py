"""edgecnn: train small image classifiers, export them with proof, run them on the edge."""

__version__ = "0.1.0"
