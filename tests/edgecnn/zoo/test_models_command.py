"""``edgecnn models``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from edgecnn import zoo
from edgecnn.cli.main import run as edgecnn


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["models"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "input", "pretrained", "paper", "parameters", "multiply-adds"]
    assert [line.split()[0] for line in lines] == list(zoo.NETWORKS)
    (vgg16,) = [line.split() for line in lines if line.startswith("vgg16 ")]
    assert vgg16[:3] == ["vgg16", "224x224x3", "yes"]
    assert vgg16[-2:] == ["138,357,544", "15,470,264,320"]


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == list(zoo.NETWORKS)
    assert listed[2] == {
        "name": "lenet5",
        "input": [32, 32, 3],
        "classes": 10,
        "parameters": 61_730,
        "multiply_adds": 416_520,
        "source": "LeCun et al., 1998",
        "pretrained": False,
        "recipe": "default",
    }


def test_the_list_needs_neither_keras_nor_time() -> None:
    script = (
        "import sys; from edgecnn.cli.main import run; run(['models']); "
        "print(*({'keras', 'numpy', 'tensorflow'} & sys.modules.keys()), file=sys.stderr)"
    )
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
        seconds.append(time.perf_counter() - begun)
        assert ended.stderr == "\n"
    assert min(seconds) < 0.5


@pytest.mark.usefixtures("keras")
def test_the_layers_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["models", "lenet5", "--classes", "3"]) == 0
    title, header, *lines = capsys.readouterr().out.splitlines()
    assert title == "lenet5 (LeCun et al., 1998), 3 classes"
    assert header.split() == ["layer", "type", "output", "parameters", "multiply-adds"]
    rows = [line.split() for line in lines]
    assert ["conv_2", "Conv2D", "10x10x16", "2,416", "240,000"] in rows
    assert ["pool_1", "AveragePooling2D", "14x14x6"] in rows
    assert rows[-2] == ["probabilities", "Dense", "3", "255", "252"]
    assert rows[-1] == ["total", "61,135", "415,932"]


def test_the_layers_of_one_as_json(keras: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["models", "vgg16", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    keras.utils.clear_session()
    assert (document["name"], document["classes"], document["parameters"]) == ("vgg16", 1000, 138_357_544)
    fc1 = {"name": "fc1", "type": "Dense", "output_shape": [4096], "parameters": 102_764_544}
    assert fc1 | {"multiply_adds": 102_760_448} in document["layers"]
    assert sum(layer["multiply_adds"] for layer in document["layers"]) == document["multiply_adds"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["vgg15"], "no network is called 'vgg15'; there are, for instance, vgg1"),
        (["lenet5", "--classes", "0"], "Invalid value for '--classes': 0 is not in the range x>=1"),
        (["--classes", "3"], "--classes goes with the name of a network"),
    ],
)
def test_wrong_words(words: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["models", *words]) == 2
    assert capsys.readouterr().err.startswith(f"error: {problem}")
