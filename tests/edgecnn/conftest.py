"""What tests share: Keras on TensorFlow, imported once, images that come with the package, and small environments."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from edgecnn.data import samples
from edgecnn_export.dataset import Dataset


@pytest.fixture(scope="session")
def keras() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KERAS_BACKEND", "tensorflow")
        from edgecnn.training import keras_backend

        assert keras_backend.choose() == "tensorflow"
        import keras

        yield keras


@pytest.fixture(scope="session")
def small() -> Dataset:
    """500 training images."""
    return samples.calibration()


@pytest.fixture(scope="session")
def watched() -> Dataset:
    """1,000 test images."""
    return samples.test()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, and no data anywhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGECNN_DATA", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


Environment = Callable[..., Path]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Make a virtual environment with edgecnn, numpy, Pillow, Typer and the packages named; gives its Python.

    The packages are those of the Python that runs the tests, linked, so nothing is fetched.
    """

    def make(*packages: str) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        (site,) = folder.glob("lib/python*/site-packages")
        for name in _with_all_they_need(["numpy", "pillow", "typer", *packages]):
            for file in metadata.files(name) or []:
                top = file.parts[0]
                if top not in {"..", "__pycache__"} and not (site / top).exists():
                    (site / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)
        root = Path(__file__).parents[2]
        (site / "edgecnn.pth").write_text("".join(f"{root / each}\n" for each in (".", "export", "runtime")))
        return folder / "bin" / "python"

    return make


def _with_all_they_need(names: list[str]) -> list[str]:
    found: list[str] = []
    while names:
        name = names.pop()
        if name not in found:
            found.append(name)
            needed = map(Requirement, metadata.requires(name) or [])
            names += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found
