"""An interpreter's probabilities, here or on an emulated computer.

``python answers.py FILE INTERPRETER IMAGES.npy ANSWERS.npy``, where the images are uint8, shape (N, height, width, 3).
"""

from __future__ import annotations

import sys

import numpy as np

from edgecnn_runtime import Classifier

if __name__ == "__main__":
    file, interpreter, images, answers = sys.argv[1:]
    np.save(answers, Classifier.open(file, interpreter).backend.scores(np.load(images)))
