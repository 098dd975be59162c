"""With edgecnn: ``folder_by_edgecnn.py FOLDER MODEL WORKERS``."""

import os
import sys

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.pipeline import Item, answers

classifier = Classifier.open(sys.argv[2], "litert", threads=1)
paths = (f"{sys.argv[1]}/{name}" for name in sorted(os.listdir(sys.argv[1])))  # noqa: PTH208
for answer in answers(classifier, (Item(path, path) for path in paths), int(sys.argv[3])):
    assert answer.scores is not None
    print(answer.item.name, answer.scores.argmax())
