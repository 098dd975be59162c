"""By hand: ``classify_onnx.py PICTURE MODEL``."""

import sys

import numpy as np
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
image = Image.open(sys.argv[1]).convert("RGB").resize(tuple(given.shape[2:0:-1]))
scores = session.run(None, {given.name: np.asarray(image)[np.newaxis]})[0][0]
for index in np.argsort(-scores)[:3]:
    print(index, scores[index])
