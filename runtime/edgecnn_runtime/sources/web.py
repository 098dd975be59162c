"""Pictures by their address, by HTTP and HTTPS and within limits."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from edgecnn_runtime.errors import ImageError

MAX_BYTES = 50_000_000
"""The largest picture that is fetched."""

SECONDS = 30.0
"""How long one may take, from looking up its host to the last byte."""


def picture(address: str) -> BytesIO:
    """The file at an address.

    Raises:
        ImageError: it is not there, is too large or does not come in time, or the address is neither HTTP nor HTTPS.
    """
    if not address.lower().startswith(("http://", "https://")):
        raise ImageError(f"{address}: only http and https addresses are fetched")
    # In a thread, because looking up a host can hang, and a server that sends a byte now and then never times out.
    came: SimpleQueue[BytesIO | ImageError] = SimpleQueue()
    Thread(target=lambda: came.put(_outcome(address)), daemon=True).start()
    try:
        outcome = came.get(timeout=SECONDS)
    except Empty:
        raise ImageError(f"{address}: did not come within {SECONDS:g} seconds; try again later") from None
    if isinstance(outcome, ImageError):
        raise outcome
    return outcome


def _outcome(address: str) -> BytesIO | ImageError:
    try:
        return _fetch(address)
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


def _fetch(address: str) -> BytesIO:
    # Spaces and letters outside ASCII are escaped, what is escaped already stays.
    plain = quote(address, safe="%/:=&?~#+!$,;'@()*[]")
    asked = request.Request(plain, headers={"User-Agent": "edgecnn"})
    response: HTTPResponse
    with _opener().open(asked, timeout=SECONDS) as response:
        announced = response.length or 0
        data = b"" if announced > MAX_BYTES else response.read(MAX_BYTES + 1)
        if max(announced, len(data)) > MAX_BYTES:
            raise ImageError(f"has more than {MAX_BYTES // 1_000_000} MB; make it smaller")
        if response.length:
            raise ImageError("broke off; try again")
    if not data:
        raise ImageError("is empty")
    picture = BytesIO(data)
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
