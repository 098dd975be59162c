"""The npm client is asked politely, and its failures are told in one line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edgecnn.data import npm
from edgecnn_runtime.errors import DataError


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an npm of the test's own making is looked for; nothing else is on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder / "npm"


def write(client: Path, *lines: str) -> None:
    client.write_text("\n".join(["#!/bin/sh", *lines]))
    client.chmod(0o755)


def silent(done: int, total: int | None) -> None:
    pass


def test_packs_into_the_folder(client: Path, tmp_path: Path) -> None:
    write(client, 'echo "$@" > "$4/arguments"')
    npm.pack("name@1.0", tmp_path, silent)
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith(f"pack name@1.0 --pack-destination {tmp_path}/.packed-")
    assert f" --cache {tmp_path}/.npm-" in arguments
    assert "--ignore-scripts" in arguments
    assert not list(tmp_path.glob(".*"))


def test_growth_is_seen(client: Path, tmp_path: Path) -> None:
    write(client, 'echo 123456789 > "$6/content"', "/bin/sleep 0.5")
    seen: list[tuple[int, int | None]] = []
    npm.pack("name@1.0", tmp_path, lambda done, total: seen.append((done, total)))
    assert (10, None) in seen


def test_no_client(client: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the npm client, which would fetch name@1\.0, is not installed"):
        npm.pack("name@1.0", tmp_path, silent)


def test_a_failure_is_one_line(client: Path, tmp_path: Path) -> None:
    write(client, "echo npm error code ENOTFOUND >&2", "echo npm error and much more >&2", "exit 1")
    with pytest.raises(DataError) as problem:
        npm.pack("name@1.0", tmp_path, silent)
    assert str(problem.value) == "npm could not fetch name@1.0 (npm error code ENOTFOUND)"


def test_a_silent_failure_in_the_middle_of_the_archive(client: Path, tmp_path: Path) -> None:
    write(client, 'echo half > "$4/name-1.0.tgz"', "exit 7")
    with pytest.raises(DataError, match=r"\(exit status 7\)"):
        npm.pack("name@1.0", tmp_path, silent)
    assert list(tmp_path.iterdir()) == [client.parent]


def test_an_interrupt_ends_the_client(client: Path, tmp_path: Path) -> None:
    write(client, "exec /bin/sleep 60")

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        npm.pack("name@1.0", tmp_path, interrupt)
    assert time.monotonic() - began < 30
