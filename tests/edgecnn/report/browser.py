"""A headless Chromium, told what to do by its own DevTools protocol over a pipe.

https://chromedevtools.github.io/devtools-protocol/; messages are JSON that ends with a zero byte. ``python -m
tests.edgecnn.report.browser`` says if there is none, and with ``PAGE PICTURE [WIDTH] [dark]`` takes a picture.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60


class Unavailable(Exception):
    """There is no Chromium here; the message says what to do."""


def program() -> str:
    """The browser: ``$EDGECNN_CHROMIUM``, or the one that is installed.

    Raises:
        Unavailable: there is none.
    """
    found = os.environ.get("EDGECNN_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise Unavailable("there is no Chromium here; install it with: apt-get install chromium")
    return found


class Browser:
    """A page in a browser of its own.

    Attributes:
        events: what the page and the browser have told, in order.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        """Take up the pipe and open an empty page."""
        self.events: list[dict[str, Any]] = []
        self._to, self._from, self._read, self._number, self._session = to_browser, from_browser, b"", 0, ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and give its result; RuntimeError if it fails."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, page: Path, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Show a page in a window of that size in pixels, by day or by night, and wait until it is loaded."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        night = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=night)
        self.events.clear()
        self.send("Page.navigate", url=page.absolute().as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """What the page has written to the console so far, and what went wrong."""
        wanted = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(each["params"]) for each in self.events if each.get("method") in wanted]

    def requested(self) -> list[str]:
        """The addresses that were asked for."""
        asked = [each for each in self.events if each.get("method") == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in asked]

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        taken = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._from], [], [], max(0, end - time.monotonic()))
            part = os.read(self._from, 2**20) if ready else b""
            if not part:
                raise RuntimeError("the browser has ended" if ready else f"no word of the browser for {_SECONDS} s")
            self._read += part
        message, _, self._read = self._read.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser that is closed in the end.

    Raises:
        Unavailable: there is none.
    """
    name = program()
    to_browser, from_browser = os.pipe(), os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
        )
        # The browser reads from its descriptor 3 and writes to 4; the shell puts ours there.
        script = f'exec "$0" "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'
        process = subprocess.Popen(
            ["bash", "-c", script, name, *words, f"--user-data-dir={profile}"],
            pass_fds=(to_browser[0], from_browser[1]),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Browser(to_browser[1], from_browser[0])
        finally:
            os.close(to_browser[1])  # the browser ends when nobody speaks to it any more
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(from_browser[0])


if __name__ == "__main__":
    try:
        if len(sys.argv) == 1:
            program()
            sys.exit()
        page, picture, *more = sys.argv[1:]
        with opened() as browser:
            browser.open(Path(page), int(more[0]) if more else 1200, dark="dark" in more)
            browser.picture(Path(picture))
    except Unavailable as problem:
        sys.exit(str(problem))
