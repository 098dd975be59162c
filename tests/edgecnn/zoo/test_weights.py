"""Weights from files: every layout, with and without the top, and the files that do not fit."""

from __future__ import annotations

import pickle
import urllib.error
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo import weights
from edgecnn.zoo.network import Network
from edgecnn_export import keras_file
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError, UsageError


def _layers(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Conv2D(4, 3, name="conv")(pixels)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.1, seed=1)(x)
    x = layers.SeparableConv2D(4, 3, name="separable")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(6, name="hidden")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="head")(x)


NETWORK = Network("small", _layers, 8, 8, classes=3, parameters=0, multiply_adds=0, source="a test")
SUFFIXES = [".h5", ".weights.h5", ".keras", ".npz"]


@pytest.fixture
def trained(keras: Any) -> Any:
    model = NETWORK.build(3)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=each.shape) for each in model.get_weights()])
    return model


def write(model: Any, path: Path) -> Path:
    if path.suffix == ".npz":
        named = {f"{layer.name}/{each.name}": each.numpy() for layer in model.layers for each in layer.weights}
        np.savez(path, **named)
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    elif path.suffix == ".h5":
        write_older(model.layers, path)
    else:
        model.save(path)
    return path


def write_older(layers: list[Any], path: Path, prefix: str = "") -> None:
    """The layout of the files of keras.applications."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [f"{prefix}{layer.name}".encode() for layer in layers]
        for layer in layers:
            group = file.create_group(f"{prefix}{layer.name}")
            group.attrs["weight_names"] = [f"{layer.name}_{i}:0".encode() for i in range(len(layer.weights))]
            for i, variable in enumerate(layer.weights):
                group[f"{layer.name}_{i}:0"] = variable.numpy()


def without_top(keras: Any, model: Any) -> Any:
    return keras.Model(model.input, model.layers[-3].output)


def same(model: Any, other: Any, layers: list[str]) -> bool:
    return all(
        (a == b).all()
        for name in layers
        for a, b in zip(model.get_layer(name).get_weights(), other.get_layer(name).get_weights(), strict=True)
    )


BODY = ["conv", "norm", "separable"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_layout(trained: Any, suffix: str, tmp_path: Path) -> None:
    model = NETWORK.build(3)
    assert not same(model, trained, ["conv"])
    assert weights.load(model, NETWORK, write(trained, tmp_path / f"trained{suffix}")) == []
    assert same(model, trained, [*BODY, "hidden", "head"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_the_top(keras: Any, trained: Any, suffix: str, tmp_path: Path) -> None:
    model = NETWORK.build(3)
    before = model.get_layer("hidden").get_weights()[0]
    file = write(without_top(keras, trained), tmp_path / f"notop{suffix}")
    assert weights.load(model, NETWORK, file) == ["hidden", "head"]
    assert same(model, trained, BODY)
    assert (model.get_layer("hidden").get_weights()[0] == before).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_for_other_classes_the_head_stays_as_it_is(trained: Any, suffix: str, tmp_path: Path) -> None:
    model = NETWORK.build(5)
    assert weights.load(model, NETWORK, write(trained, tmp_path / f"trained{suffix}")) == ["head"]
    assert same(model, trained, [*BODY, "hidden"])


def test_older_files_with_other_names_are_read_in_their_order(trained: Any, tmp_path: Path) -> None:
    model = NETWORK.build(3)
    write_older(trained.layers, tmp_path / "old.h5", prefix="old_")
    assert weights.load(model, NETWORK, tmp_path / "old.h5") == []
    assert same(model, trained, [*BODY, "hidden", "head"])


def test_a_layer_too_many_does_no_harm(keras: Any, trained: Any, tmp_path: Path) -> None:
    """Keras's EfficientNet has its normalisation as a layer with weights, ours has none."""
    file = tmp_path / "more.h5"
    more = keras.layers.BatchNormalization(name="normalization")
    more.build((None, 8, 8, 3))
    write_older([more, *without_top(keras, trained).layers], file)
    model = NETWORK.build(3)
    assert weights.load(model, NETWORK, file) == ["hidden", "head"]
    assert same(model, trained, BODY)


def _numbered(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = pixels
    for _ in range(12):
        x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    return layers.Dense(classes, activation="softmax", name="head")(layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("earlier", [0, 1, 30])
def test_layers_that_keras_has_numbered(earlier: int, suffix: str, keras: Any, tmp_path: Path) -> None:
    """Its numbers go on within a process, so that they may be others, or those of other layers."""
    network = Network("numbered", _numbered, 8, 8, 3, 0, 0, "a test")
    keras.backend.clear_session()
    for _ in range(earlier):
        keras.layers.Conv2D(4, 3)
        keras.layers.BatchNormalization()
    trained = network.build(3)
    rng = np.random.default_rng(0)
    trained.set_weights([rng.normal(size=each.shape) for each in trained.get_weights()])
    file = write(trained, tmp_path / f"trained{suffix}")
    keras.backend.clear_session()
    model = network.build(3)
    assert weights.load(model, network, file) == []
    assert all((a == b).all() for a, b in zip(model.get_weights(), trained.get_weights(), strict=True))


@pytest.mark.usefixtures("keras")
def test_a_larger_network_is_another(tmp_path: Path) -> None:
    small, large = zoo.find("resnet20"), zoo.find("resnet56")
    for classes in (10, 3):
        with pytest.raises(DataError, match=r"its layer .* is none of the network's; it holds the weights of a larger"):
            weights.load(small.build(classes), small, write(large.build(10), tmp_path / "large.keras"))


def test_as_many_but_other_classes_have_another_head(trained: Any, tmp_path: Path) -> None:
    file = tmp_path / "trained.keras"
    keras_file.save(file, trained, keras_file.About("small", ("cat", "dog", "emu"), InputSpec(8, 8)))
    for labels, new in ((("cat", "dog", "emu"), []), (("a_dog", "cat", "emu"), ["head"]), (None, [])):
        assert weights.load(NETWORK.build(3), NETWORK, file, labels) == new


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_wrong_file_is_refused_with_both_shapes(suffix: str, tmp_path: Path, keras: Any) -> None:
    wider = Network("wider", lambda pixels, _: _layers(pixels[..., :1], 3), 8, 8, 3, 0, 0, "a test")
    file = write(wider.build(3), tmp_path / f"wrong{suffix}")
    model = NETWORK.build(3)
    before = model.get_weights()
    with pytest.raises(DataError, match=r"layer conv has the shape \(3, 3, 1, 4\) .*the network's \(3, 3, 3, 4\)"):
        weights.load(model, NETWORK, file)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_layer_that_lacks_is_named(trained: Any, tmp_path: Path) -> None:
    with np.load(write(trained, tmp_path / "whole.npz")) as whole:
        np.savez(tmp_path / "part.npz", **{key: whole[key] for key in whole.files if not key.startswith("norm")})
        np.savez(tmp_path / "thin.npz", **{key: whole[key] for key in whole.files if key != "norm/beta"})
    with pytest.raises(DataError, match="does not fit small: it lacks the layer norm"):
        weights.load(NETWORK.build(3), NETWORK, tmp_path / "part.npz")
    with pytest.raises(DataError, match="layer norm has the shape"):
        weights.load(NETWORK.build(3), NETWORK, tmp_path / "thin.npz")


def test_nothing_is_unpickled(tmp_path: Path, keras: Any) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "exploded",)

    model = NETWORK.build(3)
    np.savez(tmp_path / "bomb.npz", **{"conv/kernel": np.array([Bomb()], object)})
    with pytest.raises(DataError, match="cannot be read as a file of weights"):
        weights.load(model, NETWORK, tmp_path / "bomb.npz")
    with (tmp_path / "pickle.npz").open("wb") as file:
        pickle.dump(Bomb(), file)
    with pytest.raises(DataError, match="cannot be read as a file of weights"):
        weights.load(model, NETWORK, tmp_path / "pickle.npz")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_missing_and_other_files(suffix: str, tmp_path: Path, keras: Any) -> None:
    model = NETWORK.build(3)
    with pytest.raises(DataError, match="does not exist"):
        weights.load(model, NETWORK, tmp_path / f"missing{suffix}")
    (tmp_path / f"damaged{suffix}").write_bytes(b"damaged" * 100)
    with pytest.raises(DataError, match="cannot be read as a file of weights"):
        weights.load(model, NETWORK, tmp_path / f"damaged{suffix}")
    (tmp_path / "weights.pth").touch()
    with pytest.raises(DataError, match=r"expected one that ends in \.h5"):
        weights.load(model, NETWORK, tmp_path / "weights.pth")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(DataError, match="cannot be read as a file of weights"):
        weights.load(model, NETWORK, tmp_path / "empty.keras")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_damaged_byte_is_one_kind_of_error(suffix: str, tmp_path: Path, trained: Any) -> None:
    path, model, refused = write(trained, tmp_path / f"weights{suffix}"), NETWORK.build(3), 0
    whole = path.read_bytes()
    for at in (*range(0, len(whole), len(whole) // 150), *range(len(whole) - 150, len(whole))):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            weights.load(model, NETWORK, path)
        except DataError as problem:
            assert len(str(problem).splitlines()) == 1
            refused += 1
    assert refused > 20


def test_weights_of_another_network(tmp_path: Path, keras: Any) -> None:
    np.savez(tmp_path / "other.npz", **{"block1_conv1/kernel": np.zeros((3, 3, 3, 4))})
    with pytest.raises(DataError, match="has none of the layers of small: it holds the weights of another network"):
        weights.load(NETWORK.build(3), NETWORK, tmp_path / "other.npz")
    with pytest.raises(UsageError, match="no trained weights for lenet5; give a file of them with --weights"):
        weights.load(zoo.find("lenet5").build(10), zoo.find("lenet5"))


def test_off_line_the_error_says_what_to_fetch_and_where_to_put_it(
    keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    network = zoo.find("densenet121")
    with pytest.raises(DataError) as caught:
        weights.load(network.build(5), network)
    name = "densenet121_weights_tf_dim_ordering_tf_kernels.h5"
    message = str(caught.value)
    assert f"/densenet/{name}, whose hash is 9d60b8095a5708f2dcce2bca79d332c7, elsewhere" in message
    assert f"save it as {tmp_path / 'models' / name}, or name it with --weights" in message
    assert "https://" in message


def test_a_file_in_keras_cache_is_taken(keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = zoo.find("mobilenet")  # Keras knows no hash of its weights
    theirs = keras.applications.MobileNet(weights=None)
    (tmp_path / "models").mkdir()
    write_older(theirs.layers, tmp_path / "models" / "mobilenet_1_0_224_tf.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    model = network.build(1000)
    assert weights.load(model, network) == []
    assert same(model, theirs, [layer.name for layer in theirs.layers if layer.weights])
