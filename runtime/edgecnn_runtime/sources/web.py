"""Pictures by their address, by HTTP and HTTPS and within limits."""

from __future__ import annotations

from base64 import b64encode
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from edgecnn_runtime.errors import ImageError

MAX_BYTES = 50_000_000
"""The largest picture that is fetched."""

SECONDS = 30.0
"""How long one may take, from looking up its host to the last byte."""

_PIECE = 65_536
"""Bytes that are taken at once, at most."""


def without_login(address: str) -> tuple[str, str]:
    """The address as it may be shown and logged, and the ``user:password`` that stood in it, if one did."""
    scheme, mark, rest = address.partition("://")
    authority = rest[: next((place for place, each in enumerate(rest) if each in "/?#"), len(rest))]
    login, _, _ = authority.rpartition("@")
    return f"{scheme}{mark}{rest[len(login) + 1 :] if login else rest}", login


def picture(address: str) -> BytesIO:
    """The file at an address. A ``user:password@`` in it is sent to its host alone, and told to nobody.

    By HTTP's basic login, and by its digest login where the host asks for that, as cameras do (RFC 7617 and 7616).

    Raises:
        ImageError: it is not there, is a stream or a video, is too large or does not come in time, or the address is
            neither HTTP nor HTTPS.
    """
    address, login = without_login(address)
    if not address.lower().startswith(("http://", "https://")):
        raise ImageError(f"{address}: only http and https addresses are fetched")
    # In a thread, because looking up a host can hang, and a server that sends a byte now and then never times out.
    came: SimpleQueue[BytesIO | ImageError] = SimpleQueue()
    end = monotonic() + SECONDS
    try:
        Thread(target=lambda: came.put(_outcome(address, login, end)), name=__name__, daemon=True).start()
    except RuntimeError as problem:  # the system has no more of them for us
        raise ImageError(f"{address}: cannot be fetched ({problem})") from None
    try:
        outcome = came.get(timeout=SECONDS)
    except Empty:
        raise ImageError(f"{address}: {_late()}") from None
    if isinstance(outcome, ImageError):
        raise outcome
    return outcome


def _late() -> str:
    return f"did not come within {SECONDS:g} seconds; try again later"


def _outcome(address: str, login: str, end: float) -> BytesIO | ImageError:
    try:
        return _fetch(address, login, end)
    except ImageError as problem:
        return ImageError(f"{address}: {problem}")
    except HTTPError as problem:
        problem.close()
        return ImageError(f"{address}: the server answers {problem.code} {_first_line(problem.reason)}")
    except (OSError, HTTPException, ValueError) as problem:
        reason = problem.reason if isinstance(problem, URLError) else problem
        return ImageError(f"{address}: cannot be fetched ({_first_line(reason) or type(problem).__name__})")


def _first_line(reason: object) -> str:
    return next(iter(str(reason).strip().splitlines()), "")


def _fetch(address: str, login: str, end: float) -> BytesIO:
    # Spaces and letters outside ASCII are escaped, what is escaped already stays.
    plain = quote(address, safe="%/:=&?~#+!$,;'@()*[]")
    asked = request.Request(plain, headers={"User-Agent": "edgecnn"})
    passwords = request.HTTPPasswordMgrWithDefaultRealm()
    if login:
        user, _, password = login.partition(":")
        basic = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        asked.add_unredirected_header("Authorization", f"Basic {b64encode(basic).decode()}")
        passwords.add_password(None, f"{asked.type}://{asked.host}/", unquote(user), unquote(password))
    response: HTTPResponse
    with _opener(passwords).open(asked, timeout=SECONDS) as response:
        if (kind := response.headers.get_content_maintype()) in ("multipart", "video"):
            what = "a stream of pictures" if kind == "multipart" else "a video"
            raise ImageError(f"is {what}; name the address of a still picture, or save it and name the file")
        picture, announced = BytesIO(), response.length or 0
        while max(announced, picture.tell()) <= MAX_BYTES and (piece := response.read1(_PIECE)):
            picture.write(piece)
            if monotonic() > end:  # nobody waits for it any more
                raise ImageError(_late())
        if max(announced, picture.tell()) > MAX_BYTES:
            raise ImageError(f"has more than {MAX_BYTES // 1_000_000} MB; make it smaller")
        if picture.tell() < announced:
            raise ImageError("broke off; try again")
    if not picture.tell():
        raise ImageError("is empty")
    picture.seek(0)
    picture.name = address
    return picture


class _Redirection(request.HTTPRedirectHandler):
    """Goes where a server points to; a basic login goes along to the same host, on the same way or a safer one."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        login = req.unredirected_hdrs.get("Authorization", "")
        if made and login.startswith("Basic ") and _place(newurl) in (_place(req.full_url), _safer(req.full_url)):
            made.add_unredirected_header("Authorization", login)
        return made


class _Digest(request.HTTPDigestAuthHandler):
    """Answers a host that asks for a digest login, once: a camera locks itself after a few wrong ones."""

    def __init__(self, passwords: request.HTTPPasswordMgr) -> None:
        super().__init__(passwords)
        self._answered = False

    def http_error_401(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        if self._answered or not headers.get("WWW-Authenticate", "").lower().startswith("digest "):
            return None
        self._answered = True
        return super().http_error_401(req, fp, code, msg, headers)


def _place(address: str) -> tuple[str, str | None, int]:
    """What a login is good for: scheme, host and port."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)


def _safer(address: str) -> tuple[str, str | None, int]:
    """The place that stands for one on the usual port of HTTP, by HTTPS."""
    scheme, host, port = _place(address)
    return ("https", host, 443) if (scheme, port) == ("http", 80) else (scheme, host, port)


def _opener(passwords: request.HTTPPasswordMgr) -> request.OpenerDirector:
    """One that knows HTTP and HTTPS and nothing else, wherever a server redirects to: no file:, no ftp:."""
    proxies = {scheme: proxy for scheme, proxy in request.getproxies().items() if scheme in ("http", "https")}
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(proxies),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        _Redirection(),
        _Digest(passwords),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
