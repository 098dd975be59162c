"""Pictures by their address, by HTTP and HTTPS and within limits."""

from __future__ import annotations

from base64 import b64encode
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote_to_bytes

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

    Raises:
        ImageError: it is not there, is too large or does not come in time, or the address is neither HTTP nor HTTPS.
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
    if login:  # not for another host that the first one names
        user, _, password = login.partition(":")
        basic = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        asked.add_unredirected_header("Authorization", f"Basic {b64encode(basic).decode()}")
    response: HTTPResponse
    with _opener().open(asked, timeout=SECONDS) as response:
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


def _opener() -> request.OpenerDirector:
    """One that knows HTTP and HTTPS and nothing else, wherever a server redirects to: no file:, no ftp:."""
    proxies = {scheme: proxy for scheme, proxy in request.getproxies().items() if scheme in ("http", "https")}
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(proxies),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
