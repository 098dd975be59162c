"""A download goes on where it broke off, and never mixes two versions of a file."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgecnn.data import download as module
from edgecnn.data.download import UnreachableError, download
from edgecnn_runtime.errors import DataError

CONTENT = bytes(range(256)) * 4000
CUT = 300_000


class Site:
    """A web server whose manners a test chooses."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.ranges = True
        self.etag = '"one"'
        self.cuts: list[int] = []  # after how many bytes the next answers break off
        self.offset = 0  # by how much a partial answer misses the place asked for
        self.status = 200
        self.url = ""
        self.asked: list[tuple[str | None, str | None]] = []
        self.sent: list[int] = []


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    state = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
            state.asked.append((wanted, condition))
            if state.status != 200:
                self.send_error(state.status)
                return
            start = 0
            if wanted and state.ranges and condition in (None, state.etag):
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) + state.offset
            total = len(state.content)
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            if state.etag:
                self.send_header("ETag", state.etag)
            self.send_header("Content-Length", str(total - start))
            self.end_headers()
            body = state.content[start:][: state.cuts.pop(0) if state.cuts else None]
            state.sent.append(len(body))
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}/file"
        yield state
        server.shutdown()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


def silent(done: int, total: int | None) -> None:
    pass


def assert_complete(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


def test_in_one_go(site: Site, target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    download(site.url, target, lambda done, total: seen.append((done, total)))
    assert_complete(target)
    assert site.asked == [(None, None)]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_goes_on_within_a_call(site: Site, target: Path) -> None:
    site.cuts = [CUT]
    seen: list[tuple[int, int | None]] = []
    download(site.url, target, lambda done, total: seen.append((done, total)))
    assert_complete(target)
    assert site.asked == [(None, None), (f"bytes={CUT}-", '"one"')]
    assert site.sent == [CUT, len(CONTENT) - CUT]
    assert {total for _, total in seen} == {len(CONTENT)}


def test_goes_on_in_a_later_call(site: Site, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.cuts = [CUT]
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with pytest.raises(DataError, match=r"broke off 1 times; run the command again to continue"):
        download(site.url, target, silent)
    assert not target.exists()
    assert target.with_name("file.part").read_bytes() == CONTENT[:CUT]
    download(site.url, target, silent)
    assert_complete(target)
    assert site.asked[1] == (f"bytes={CUT}-", '"one"')
    assert sum(site.sent) == len(CONTENT)


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_goes_on_without_a_strong_tag(etag: str, site: Site, target: Path) -> None:
    site.etag, site.cuts = etag, [CUT]
    download(site.url, target, silent)
    assert_complete(target)
    assert site.asked[1] == (f"bytes={CUT}-", None)
    assert sum(site.sent) == len(CONTENT)


def test_begins_anew_when_the_server_knows_no_ranges(site: Site, target: Path) -> None:
    site.ranges, site.cuts = False, [CUT]
    download(site.url, target, silent)
    assert_complete(target)
    assert site.sent == [CUT, len(CONTENT)]


def test_begins_anew_when_the_file_has_changed(site: Site, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.cuts = [CUT]
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with pytest.raises(DataError):
        download(site.url, target, silent)
    site.content, site.etag = CONTENT[::-1], '"two"'
    download(site.url, target, silent)
    assert_complete(target, CONTENT[::-1])
    assert site.asked[1] == (f"bytes={CUT}-", '"one"')


def test_begins_anew_when_another_part_comes(site: Site, target: Path) -> None:
    site.cuts, site.offset = [CUT], 1
    download(site.url, target, silent)
    assert_complete(target)
    assert [wanted for wanted, _ in site.asked] == [None, f"bytes={CUT}-", None]


def test_everything_had_arrived(site: Site, target: Path) -> None:
    target.with_name("file.part").write_bytes(CONTENT)
    download(site.url, target, silent)
    assert_complete(target)
    assert site.sent == []


def test_more_than_everything_had_arrived(site: Site, target: Path) -> None:
    target.with_name("file.part").write_bytes(CONTENT + b"more")
    download(site.url, target, silent)
    assert_complete(target)


def test_gives_up(site: Site, target: Path) -> None:
    site.cuts = [10] * module.ATTEMPTS
    with pytest.raises(DataError, match=f"broke off {module.ATTEMPTS} times"):
        download(site.url, target, silent)
    assert len(site.asked) == module.ATTEMPTS
    assert target.with_name("file.part").read_bytes() == CONTENT[: 10 * module.ATTEMPTS]


@pytest.mark.parametrize("status", [403, 404, 503])
def test_refused(status: int, site: Site, target: Path) -> None:
    site.status = status
    with pytest.raises(UnreachableError, match=f"answers {status} "):
        download(site.url, target, silent)


def test_nobody_there(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9/file cannot be reached \("):
        download("http://127.0.0.1:9/file", target, silent)
