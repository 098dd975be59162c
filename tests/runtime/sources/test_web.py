"""Pictures by their address, from a real server."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import ClassVar
from urllib import request

import pytest

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import load
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import web
from edgecnn_runtime.sources.named import named

RED = Path(__file__).parents[3] / "docs" / "pictures" / "frog.png"


def digest(path: str, given: dict[str, str]) -> str:
    """What a login of ``me`` with ``p@ss`` comes to (RFC 7616, section 3.4.1, with MD5 as cameras have it)."""

    def hashed(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret, asked = hashed("me", "cam", "p@ss"), hashed("GET", path)
    return hashed(secret, "n1", given["nc"], given["cnonce"], "auth", asked)


class Pages(BaseHTTPRequestHandler):
    logins: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        data = RED.read_bytes()
        match self.path.removeprefix("http://camera.invalid"):
            case "/cam.png" | "/a%20%C3%A4.png":
                self.answer(200, data)
            case "/moved":
                self.answer(302, b"", Location="/cam.png")
            case "/file" | "/ftp" | "/loop":
                target = {"/file": RED.as_uri(), "/ftp": "ftp://127.0.0.1/cam.png", "/loop": "/loop"}[self.path]
                self.answer(302, b"", Location=target)
            case "/private":
                login = self.headers["Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss
                self.answer(*((200, data) if login else (401, b"")))
            case "/digest" | "/bearer":
                kind, _, answer = self.headers["Authorization"].partition(" ")
                self.logins.append(kind)
                given = request.parse_keqv_list(request.parse_http_list(answer)) if kind == "Digest" else {}
                if self.path == "/digest" and kind == "Digest" and given["response"] == digest("/digest", given):
                    self.answer(200, data)
                else:
                    challenge = 'Digest realm="cam", nonce="n1", qop="auth"' if self.path == "/digest" else "Bearer"
                    self.answer(401, b"", WWW_Authenticate=challenge)
            case "/login":
                self.answer(200, self.headers["Authorization"].encode())
            case "/private-moved":
                self.answer(302, b"", Location="/private")
            case "/private-elsewhere":
                self.answer(302, b"", Location=f"http://127.1:{self.headers['Host'].rpartition(':')[2]}/private")
            case "/page":
                self.answer(200, b"<html>no picture</html>")
            case "/stream" | "/film":
                kind = "multipart/x-mixed-replace; boundary=x" if self.path == "/stream" else "video/mp4"
                self.answer(200, data, Content_Type=kind)
            case "/nothing":
                self.answer(200, b"")
            case "/huge":
                self.answer(200, data, Content_Length="10000000000")
            case "/short":
                self.answer(200, data[:-9], Content_Length=str(len(data)))
            case "/endless":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bytes(2_000_000))
            case "/slow":
                self.send_response(200)
                self.end_headers()
                while not self.server.ended.wait(0.05):  # type: ignore[attr-defined]
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        return
            case "/garbage":
                self.wfile.write(b"no HTTP at all\r\n\r\n")
            case _:
                self.answer(404, b"none")

    def answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(data))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Address of a running server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.ended = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.ended.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/cam.png", "/moved", "/a ä.png", "/a%20%C3%A4.png"])
def test_a_picture_is_fetched(site: str, path: str) -> None:
    (item,) = named([site + path]).items
    assert item.name == site + path
    assert not isinstance(item.picture, ImageError)
    assert load(item.picture).tobytes() == load(RED).tobytes()
    sent = pickle.loads(pickle.dumps(item))  # noqa: S301 - as to another process
    assert (sent.name, sent.picture.name) == (item.name, item.name)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/none.png", "the server answers 404 Not Found"),
        ("/file", "the server answers 302 .*file:.* is not allowed"),
        ("/ftp", "cannot be fetched .*ftp"),
        ("/loop", "the server answers 302 .*infinite loop"),
        ("/nothing", "is empty"),
        ("/stream", "is a stream of pictures; name the address of a still picture"),
        ("/film", "is a video; name the address of a still picture, or save it and name the file"),
        ("/short", "broke off; try again"),
        ("/garbage", r"cannot be fetched \("),
    ],
)
def test_a_picture_that_cannot_be_had_is_an_error_in_its_place(site: str, path: str, why: str) -> None:
    bad, good = named([site + path, site + "/cam.png"]).items
    with pytest.raises(ImageError, match=f"^{site}{path}: {why}"):
        raise bad.picture  # type: ignore[misc]
    assert not isinstance(good.picture, ImageError)
    assert "\n" not in str(bad.picture)


def test_what_is_no_picture_is_named_by_its_address(site: str) -> None:
    (item,) = named([site + "/page"]).items
    assert not isinstance(item.picture, ImageError)
    with pytest.raises(ImageError, match=f"^{site}/page: not a picture"):
        load(item.picture)


@pytest.mark.parametrize("path", ["/huge", "/endless"])
def test_a_large_one_is_given_up(site: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match=f"{path}: has more than 1 MB; make it smaller"):
        web.picture(site + path)


def test_a_slow_one_is_given_up(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SECONDS", 0.4)
    begun = time.monotonic()
    with pytest.raises(ImageError, match=r"/slow: did not come within 0\.4 seconds"):
        web.picture(site + "/slow")
    while any(each.name == web.__name__ for each in threading.enumerate()):  # it hangs up, too
        assert time.monotonic() - begun < 5
        time.sleep(0.01)


def test_a_proxy_is_heeded(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", site)
    assert web.picture("http://camera.invalid/cam.png").getvalue() == RED.read_bytes()


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "1"]
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    subprocess.run(["openssl", *words, "-subj", "/CN=127.0.0.1"], capture_output=True, timeout=60, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"https://127.0.0.1:{server.server_address[1]}/cam.png"
        with pytest.raises(ImageError, match=f"^{address}: cannot be fetched .*CERTIFICATE_VERIFY_FAILED"):
            web.picture(address)
        server.shutdown()
        thread.join()


def test_nobody_there() -> None:
    with pytest.raises(ImageError, match=r"^http://127\.0\.0\.1:1/cam\.jpg: cannot be fetched \(.*refused\)"):
        web.picture("http://127.0.0.1:1/cam.jpg")
    with pytest.raises(ImageError, match=r"^http://\[/cam\.jpg: cannot be fetched"):
        web.picture("http://[/cam.jpg")


def test_http_and_https_only() -> None:
    for address in (RED.as_uri(), "ftp://127.0.0.1/cam.jpg", "data://image/png;base64,xx"):
        (item,) = named([address]).items
        assert str(item.picture) == f"{address}: only http and https addresses are fetched"


def test_a_login_goes_to_its_host_and_nowhere_else(site: str) -> None:
    def found(path: str) -> Item:
        address = f"{site}{path}".replace("://", "://me:p%40ss@")
        (item,) = named([address]).items
        assert item.name == f"{site}{path}"
        return item

    assert isinstance(found("/private").picture, BytesIO)
    assert isinstance(found("/private-moved").picture, BytesIO)
    for path in ("/private-elsewhere", "/none"):
        problem = found(path).picture
        assert isinstance(problem, ImageError)
        assert str(problem).startswith(f"{site}{path}: the server answers 40")


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("http://a.b/1", "http://a.b/2", True),
        ("http://a.b/1", "http://A.B:80/2", True),
        ("http://a.b/1", "https://a.b/1", True),
        ("http://a.b:81/1", "http://a.b/1", False),
        ("http://a.b:81/1", "https://a.b/1", False),
        ("https://a.b/1", "http://a.b/1", False),
        ("http://a.b/1", "http://a.c/1", False),
        ("http://a.b/1", "http://a.b@c.d/1", False),
    ],
)
def test_where_a_login_goes_along_to(before: str, after: str, kept: bool) -> None:
    assert (web._place(after) in (web._place(before), web._safer(before))) == kept


def test_a_camera_that_asks_for_a_digest_login(site: str) -> None:
    Pages.logins.clear()
    assert web.picture(f"{site}/digest".replace("://", "://me:p%40ss@")).getvalue() == RED.read_bytes()
    assert Pages.logins == ["Basic", "Digest"]
    Pages.logins.clear()
    with pytest.raises(ImageError, match=r"/digest: the server answers 401 Unauthorized$"):
        web.picture(f"{site}/digest".replace("://", "://me:wrong@"))
    assert Pages.logins == ["Basic", "Digest"], "a camera locks itself after a few wrong ones"
    with pytest.raises(ImageError, match=r"/bearer: the server answers 401 Unauthorized$"):
        web.picture(f"{site}/bearer".replace("://", "://me:p%40ss@"))


@pytest.mark.parametrize(
    ("address", "shown", "login"),
    [
        ("https://a.b/c@d?e=f@g", "https://a.b/c@d?e=f@g", ""),
        ("https://u@a.b?c@d", "https://a.b?c@d", "u"),
        ("HTTP://u:p@w@a.b:80", "HTTP://a.b:80", "u:p@w"),
    ],
)
def test_what_of_an_address_is_the_login(address: str, shown: str, login: str) -> None:
    assert web.without_login(address) == (shown, login)


@pytest.mark.parametrize(
    ("login", "sent"),
    [("me", b"me:"), ("me:", b"me:"), ("m%3Ae:p:%2F%E4", b"m:e:p:/\xe4"), ("mä:p", "mä:p".encode())],
)
def test_a_login_is_sent_as_its_bytes(site: str, login: str, sent: bytes) -> None:
    seen = web.picture(f"{site}/login".replace("://", f"://{login}@")).getvalue()
    assert seen == b"Basic " + b64encode(sent)


def test_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(ImageError, match=r"^http://a\.b/c\.png: cannot be fetched \(can't start new thread\)$"):
        web.picture("http://a.b/c.png")
