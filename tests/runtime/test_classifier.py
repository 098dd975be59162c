from __future__ import annotations

import io
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgecnn_runtime import classifier as module
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier, ranked
from edgecnn_runtime.errors import ImageError, ModelFileError, UsageError

RED = np.full((4, 4, 3), (250, 100, 10), np.uint8)


def test_any_kind_of_picture(model: Path, tmp_path: Path) -> None:
    classifier = Classifier.open(model, threads=1)
    path = tmp_path / "red.png"
    Image.fromarray(RED).save(path)
    answers = [
        classifier.classify(source)
        for source in (RED, path, str(path), Image.fromarray(RED), io.BytesIO(path.read_bytes()))
    ]
    assert answers == [answers[0]] * 5
    best = answers[0][0]
    assert (best.label, best.index) == ("red", 0)
    assert 0.9 < best.score <= 1
    assert [prediction.label for prediction in answers[0]] == ["red", "green", "blue"]


def test_another_size_is_resized(model: Path) -> None:
    big = np.full((30, 50, 3), (0, 0, 255), np.uint8)
    assert Classifier.open(model).classify(big)[0].label == "blue"


def test_top(model: Path) -> None:
    classifier = Classifier.open(model)
    assert [len(classifier.classify(RED, top)) for top in (1, 2, 3, 100)] == [1, 2, 3, 3]
    with pytest.raises(UsageError, match="top must be at least 1, not 0"):
        classifier.classify(RED, 0)


def test_of_equal_scores_the_first_is_best() -> None:
    scores = np.array([0.2, 0.4, 0.4], np.float32)
    assert [each.index for each in ranked(scores, ("red", "green", "blue"), 2)] == [1, 2]
    assert scores.argmax() == 1


def test_scores_that_are_no_numbers_have_no_best(model: Path) -> None:
    classifier = Classifier.open(model)
    for bad in (np.nan, np.inf):
        with pytest.raises(ModelFileError, match=r"^the model's scores are no numbers \(NaN\); try: edgecnn verify$"):
            classifier.ranked(np.array([0.5, bad, 0.2], np.float32), 1)


def test_scores_of_many(model: Path) -> None:
    classifier = Classifier.open(model)
    images = np.random.default_rng(1).integers(0, 256, (33, 4, 4, 3), dtype=np.uint8)
    scores = classifier.scores(images)
    assert scores.shape == (33, 3)
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(1), 1, atol=0.01)
    assert np.allclose(scores, np.concatenate([classifier.scores([image]) for image in images]), atol=1e-6)
    assert classifier.scores([]).shape == (0, 3)


def test_what_it_tells_of_itself(int8: Path) -> None:
    interpreter = installed("tflite")[0]
    classifier = Classifier.open(int8, interpreter)
    assert classifier.contract.model == "tiny"
    assert classifier.backend.name.startswith(f"{interpreter} ")
    prediction = classifier.classify(RED)[0]
    with pytest.raises(FrozenInstanceError):
        prediction.score = 1.0  # type: ignore[misc]


def test_an_interpreter_never_sees_a_damaged_file(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_backend", lambda *_: pytest.fail("opened"))
    data = model.read_bytes()
    damaged = tmp_path / model.name
    for position in range(0, len(data), 50):
        damaged.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(ModelFileError, match=model.name):
            Classifier.open(damaged)


def test_errors_name_the_file(int8: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^.*tiny-int8\.tflite: backend 'onnxruntime' does not run tflite files"):
        Classifier.open(int8, "onnxruntime")
    with pytest.raises(ImageError, match=r"none\.jpg: no such file"):
        Classifier.open(int8).classify(tmp_path / "none.jpg")
