"""By hand: ``classify_tflite.py PICTURE MODEL PACKAGE``."""

import importlib
import sys

import numpy as np
from PIL import Image

interpreter = importlib.import_module(f"{sys.argv[3]}.interpreter").Interpreter(model_path=sys.argv[2])
interpreter.allocate_tensors()
given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
image = Image.open(sys.argv[1]).convert("RGB").resize(tuple(given["shape"][2:0:-1]))
interpreter.set_tensor(given["index"], np.asarray(image)[np.newaxis])
interpreter.invoke()
scores = interpreter.get_tensor(answer["index"])[0]
for index in np.argsort(-scores.astype(int))[:3]:
    print(index, scores[index])
