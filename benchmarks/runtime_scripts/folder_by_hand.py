"""By hand: ``folder_by_hand.py FOLDER MODEL``, one thread."""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

interpreter = Interpreter(model_path=sys.argv[2], num_threads=1)
interpreter.allocate_tensors()
given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
rows, columns = given["shape"][1:3]
for path in sorted(Path(sys.argv[1]).iterdir()):
    image = Image.open(path).convert("RGB").resize((columns, rows))
    interpreter.set_tensor(given["index"], np.asarray(image)[np.newaxis])
    interpreter.invoke()
    print(path, interpreter.get_tensor(answer["index"])[0].argmax())
