"""Grad-CAM: what the paper says it is, and where it looks."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn import zoo
from edgecnn.data import samples
from edgecnn.inspection import layers
from edgecnn.inspection.grad_cam import grad_cam
from edgecnn_export import keras_file
from edgecnn_export.reference import predict

ROOT = Path(__file__).parents[3]
DATA = samples.test()
PICTURE = DATA.images[7]


@pytest.fixture(scope="module")
def wide(keras: Any, resnet8: Any) -> Any:
    """The same network for pictures twice as wide: it takes the mean over all places, however many there are."""
    pixels = keras.Input((32, 64, 3))
    model = keras.Model(pixels, zoo.find("resnet8").layers(pixels, 10))
    model.set_weights(resnet8.get_weights())
    return model


@pytest.fixture(scope="module")
def typical(resnet8: Any) -> npt.NDArray[np.uint8]:
    """Of each class the picture that the network is surest of."""
    of_own = predict(resnet8, DATA.images)[np.arange(len(DATA)), DATA.labels]
    return np.array([DATA.images[np.where(DATA.labels == label, of_own, -1).argmax()] for label in range(10)])


@pytest.mark.parametrize(("left", "right"), [(0, 6), (3, 8), (9, 2), (4, 1), (7, 5)])
def test_the_map_of_two_objects_moves_with_the_class(wide: Any, typical: Any, left: int, right: int) -> None:
    picture = np.hstack([typical[left], typical[right]])
    maps = grad_cam(wide, layers.last_with_maps(wide), picture, [left, right])
    assert maps.shape == (2, 8, 16)
    on_the_left = maps[:, :, :8].sum((1, 2)) / maps.sum((1, 2))
    assert on_the_left[0] > 0.6
    assert on_the_left[1] < 0.4
    assert maps[0].max(0).argmax() < 8 <= maps[1].max(0).argmax()


def test_before_a_mean_and_a_dense_layer_it_is_the_weighted_sum(resnet8: Any) -> None:
    """Section 3.1 of the paper: there, Grad-CAM is CAM (Zhou et al., 2016) divided by the number of places."""
    last = layers.last_with_maps(resnet8)
    (maps,) = layers.activations(resnet8, [last], PICTURE)
    kernel = resnet8.get_layer("probabilities").get_weights()[0]
    expected = np.maximum(maps @ kernel, 0) / 64
    np.testing.assert_allclose(
        grad_cam(resnet8, last, PICTURE, [3, 5]), np.moveaxis(expected, -1, 0)[[3, 5]], rtol=1e-3, atol=1e-5
    )


def test_it_is_of_the_score_and_not_of_the_probability(keras: Any) -> None:
    """A probability of 1 no longer grows; the score before softmax does. So too if softmax is a layer of its own."""
    pixels = keras.Input((6, 6, 3))
    conv = keras.layers.Conv2D(2, 3, padding="same", use_bias=False, name="conv")
    pooled = keras.layers.GlobalAveragePooling2D()(conv(pixels))
    dense = keras.layers.Dense(2, activation="softmax", kernel_initializer="identity")
    whole = keras.Model(pixels, dense(pooled))
    apart = keras.Model(pixels, keras.layers.Softmax()(pooled))
    kernel = np.zeros((3, 3, 3, 2))
    kernel[1, 1, 0, 0] = 5  # how red it is
    conv.set_weights([kernel])
    red = np.zeros((6, 6, 3), np.uint8)
    red[1, 2] = [255, 0, 0]
    red[4, 4] = [102, 0, 0]
    expected = red[None, ..., 0].astype(float) * 5 / 36
    for model in (whole, apart):
        assert model(layers.as_batch(red), training=False)[0, 0] == 1
        np.testing.assert_allclose(grad_cam(model, conv, red, [0]), expected, rtol=1e-4)


def test_a_layer_inside_a_block_and_the_model_is_as_it_was(resnet8: Any) -> None:
    before, structure = predict(resnet8, DATA.images[:5]), resnet8.to_json()
    maps = grad_cam(resnet8, layers.find(resnet8, "stage_2_conv_1"), PICTURE, [0, 1, 2])
    assert maps.shape == (3, 16, 16)
    assert (maps >= 0).all()
    assert maps.max() > 0
    assert resnet8.to_json() == structure
    np.testing.assert_array_equal(predict(resnet8, DATA.images[:5]), before)


def test_a_sequential_model(keras: Any) -> None:
    keras.utils.set_random_seed(0)  # some beginnings let no ReLU through
    layer = keras.layers
    head = layer.Flatten(), layer.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((32, 32, 3)), layer.Conv2D(4, 3), layer.ReLU(), *head])
    maps = grad_cam(model, model.layers[1], PICTURE, [0, 1, 2])
    assert maps.shape == (3, 30, 30)
    assert maps.max() > 0


JAX = """
import sys
import numpy as np
from pathlib import Path
from edgecnn.training import keras_backend
assert keras_backend.choose() == "jax"
from edgecnn.data import samples
from edgecnn.inspection import layers
from edgecnn.inspection.grad_cam import grad_cam
from edgecnn_export import keras_file
picture = samples.test().images[7]
for name, layer in zip(sys.argv[1::2], sys.argv[2::2]):
    model = keras_file.load(Path("models", f"{name}.keras"))[0]
    np.save(f"{layer}.npy", grad_cam(model, layers.find(model, layer), picture, [3, 5]))
assert "tensorflow" not in sys.modules
"""


@pytest.mark.usefixtures("keras")
@pytest.mark.skipif(not find_spec("jax"), reason="JAX is not installed")
def test_under_jax_it_is_the_same(tmp_path: Path) -> None:
    """In a process of its own, where Keras has given no layer a name yet: one of ours could be the model's."""
    (tmp_path / "models").symlink_to(ROOT / "models")
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    asked = {"baseline": "conv", "resnet8": "stage_2_conv_1"}
    command = [sys.executable, "-c", JAX, *chain.from_iterable(asked.items())]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, timeout=180)
    for name, layer in asked.items():
        model = keras_file.load(ROOT / "models" / f"{name}.keras")[0]
        here = grad_cam(model, layers.find(model, layer), PICTURE, [3, 5])
        np.testing.assert_allclose(np.load(tmp_path / f"{layer}.npy"), here, rtol=1e-3, atol=1e-5)
