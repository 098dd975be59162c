"""Probabilities by TFLite's reference kernels, which are slow and the same on every processor.

``python reference.py FILE IMAGES.npy ANSWERS.npy``, where the images are uint8, shape (N, height, width, 3).
"""

from __future__ import annotations

import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType

if __name__ == "__main__":
    file, images, answers = sys.argv[1:]
    interpreter = Interpreter(file, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = answer["quantization"]
    found = []
    for image in np.load(images):
        interpreter.set_tensor(given["index"], image[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(answer["index"])[0])
    np.save(answers, (np.array(found, np.float32) - zero_point) * np.float32(scale))
