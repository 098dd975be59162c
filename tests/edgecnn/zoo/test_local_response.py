"""Local response normalisation against the formula of the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn.zoo.local_response import local_response


def formula(a: Any) -> Any:
    """Krizhevsky et al., 2012, section 3.3, with its k, n, alpha and beta, channel by channel."""
    k, n, alpha, beta = 2, 5, 1e-4, 0.75
    channels = a.shape[-1]
    b = np.empty_like(a)
    for i in range(channels):
        window = range(max(0, i - n // 2), min(channels - 1, i + n // 2) + 1)
        b[..., i] = a[..., i] / (k + alpha * sum(a[..., j] ** 2 for j in window)) ** beta
    return b


@pytest.mark.parametrize(("shape", "largest"), [((4, 6, 16), 1), ((4, 6, 16), 500), ((5, 3, 3), 50), ((1, 1, 1), 50)])
def test_the_formula(shape: tuple[int, ...], largest: float, keras: Any) -> None:
    activations = np.random.default_rng(0).uniform(0, largest, (3, *shape)).astype(np.float32)
    given = keras.Input(shape)
    model = keras.Model(given, local_response(given, "local_response"))
    assert model.count_params() == 0
    np.testing.assert_allclose(np.asarray(model(activations)), formula(activations.astype(np.float64)), rtol=2e-6)


def test_it_loads_without_a_class_of_ours(keras: Any, tmp_path: Any) -> None:
    given = keras.Input((4, 4, 8))
    model = keras.Model(given, local_response(given, "local_response"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={}, safe_mode=True)
    activations = np.random.default_rng(0).uniform(0, 100, (2, 4, 4, 8)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(loaded(activations)), np.asarray(model(activations)))
    assert "edgecnn" not in model.to_json()
