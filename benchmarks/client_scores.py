"""What another program makes of a model file; :mod:`clients` runs it inside that program's environment.

``python client_scores.py CLIENT FILE IMAGES.npy ANSWERS.npz``, where the images are uint8, shape (N, height, width, 3).
Each client is called as its own documentation says, with nothing of edgecnn. The answers hold the probabilities,
float32, shape (N, classes), the client's version, and the class names that the client read from the file, if it reads
any.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

Answers = tuple[Any, str, list[str]]


def mediapipe(file: str, images: Any) -> Answers:
    """MediaPipe's ImageClassifier, which gives names with its scores."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=file))
    rows: list[list[float]] = []
    names: dict[int, str | None] = {}
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for image in images:
            result = classifier.classify(mp.Image(image_format=mp.ImageFormat.SRGB, data=image))
            categories = result.classifications[0].categories
            names |= {each.index: each.category_name for each in categories}
            rows.append([each.score for each in sorted(categories, key=lambda each: each.index)])
    return np.array(rows), mp.__version__, [names[index] or "" for index in sorted(names)]


def onnxruntime(file: str, images: Any) -> Answers:
    """onnxruntime, all images in one batch."""
    import onnxruntime as ort

    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = session.get_modelmeta().custom_metadata_map["labels"].splitlines()
    return session.run(["probabilities"], {"pixels": images})[0], ort.__version__, names


def openvino(file: str, images: Any, **options: str) -> Answers:
    """OpenVINO: ONNX in one batch, TFLite one image at a time, for the batch in the file is 1."""
    import openvino as ov

    core = ov.Core()
    model = core.compile_model(core.read_model(file), "CPU", options)
    batches = images[:, None] if file.endswith(".tflite") else [images]
    scores = np.concatenate([model({"pixels": batch})["probabilities"] for batch in batches])
    # An 8-bit output comes without its scale, which is always 1/256.
    return scores / np.float32(256) if scores.dtype == np.uint8 else scores, ov.__version__.partition("-")[0], []


def openvino_f32(file: str, images: Any) -> Answers:
    """OpenVINO, told not to compute in bfloat16, which it does by default where the CPU can."""
    return openvino(file, images, INFERENCE_PRECISION_HINT="f32")


def opencv(file: str, images: Any) -> Answers:
    """OpenCV's dnn module, all images in one batch."""
    import cv2

    network = cv2.dnn.readNetFromONNX(file)
    network.setInput(images, "pixels")
    return network.forward("probabilities"), cv2.__version__, []


def opencv_classic(file: str, images: Any) -> Answers:
    """OpenCV's dnn module with the engine that it had before version 5, which may take one image only."""
    import cv2

    network = cv2.dnn.readNetFromONNX(file, cv2.dnn.ENGINE_CLASSIC)
    rows = []
    for image in images:
        network.setInput(image[None], "pixels")
        rows.append(network.forward("probabilities")[0].copy())
    return np.array(rows), cv2.__version__, []


CLIENTS = {
    each.__name__.replace("_", "-"): each
    for each in (mediapipe, onnxruntime, openvino, openvino_f32, opencv, opencv_classic)
}


if __name__ == "__main__":
    client, model_file, pixels, answers = sys.argv[1:]
    try:
        probabilities, version, names = CLIENTS[client](model_file, np.load(pixels))
    except Exception as problem:
        sys.exit(f"{type(problem).__name__}: {' '.join(str(problem).split())}")
    with Path(answers).open("wb") as out:
        np.savez(out, probabilities=probabilities.astype(np.float32), version=version, names=np.array(names, np.str_))
