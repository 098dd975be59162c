"""docs/classify.md is true: every command in it is run on a terminal, and prints what stands there but for numbers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from PIL import Image

from edgecnn.cli.main import program
from edgecnn.data import samples
from edgecnn_runtime.backends import installed
from tests.pages import DOCS, ROOT, Example, examples, rewrite, without_numbers

if TYPE_CHECKING:
    from tests.runtime.conftest import Terminal

FILE = DOCS / "classify.md"
PAGE = FILE.read_text()


class Quietly(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the page's commands run."""
    folder = tmp_path_factory.mktemp("page")
    data = samples.test()
    # Their best labels are far enough apart to come in one order in every TFLite interpreter, on ARM too.
    pictures = {"ship": 60, "truck": 96, "more/cat": 21, "more/car": 64}
    shutil.copy(DOCS / "pictures" / "frog.png", folder / "cam.png")
    for name, number in pictures.items():
        label = {"car": "automobile"}.get(Path(name).name, Path(name).name)
        path = folder / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        index = (data.labels == data.label_names.index(label)).nonzero()[0][number]
        Image.fromarray(data.images[index]).save(path)
    (folder / "inbox").mkdir()
    shutil.copy(folder / "photos" / "truck.png", folder / "inbox" / "old.png")
    (folder / "photos" / "empty").mkdir()
    (folder / "list.txt").write_text("cam.png\nphotos/truck.png\n")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    if find_spec("cv2"):
        write_clip(folder / "clip.mp4")
    (folder / "edgecnn").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgecnn "$@"\n')
    (folder / "edgecnn").chmod(0o755)
    return folder


def write_clip(path: Path) -> None:
    """Three frogs and a ship, one of them hard to see, enlarged."""
    import cv2

    data = samples.test()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (320, 320))
    frogs, ships = ((data.labels == data.label_names.index(label)).nonzero()[0] for label in ("frog", "ship"))
    for index in (frogs[15], frogs[28], frogs[0], ships[1], ships[2]):
        image = cv2.cvtColor(data.images[index], cv2.COLOR_RGB2BGR)
        writer.write(cv2.resize(image, (320, 320), interpolation=cv2.INTER_NEAREST))
    writer.release()


@pytest.fixture(scope="module")
def port(here: Path) -> Iterator[int]:
    """Where a server gives the folder's pictures."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quietly, directory=here)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def printed(command: str, here: Path, port: int, terminal: Terminal) -> str:
    """What a command prints on a terminal."""
    process = subprocess.Popen(
        ["bash", "-c", command.replace(":8000", f":{port}")],
        cwd=here,
        env=os.environ | {"PATH": f"{here}:{os.environ['PATH']}", "no_proxy": "localhost"},
        stdin=subprocess.DEVNULL,
        stdout=terminal.end,
        stderr=terminal.end,
    )
    if "--watch" in command:
        terminal.wait_for("old.png")  # so the folder is watched
        shutil.copy(here / "cam.png", here / "inbox" / "new.png")
        terminal.wait_for("new.png")
        process.send_signal(signal.SIGINT)
    text = terminal.screen()
    process.wait(60)
    return text.replace(f":{port}", ":8000")


@pytest.mark.parametrize("example", examples(PAGE), ids=lambda example: example.command)
def test_the_page_shows_what_is_printed(
    example: Example, here: Path, port: int, terminal: Terminal, request: pytest.FixtureRequest
) -> None:
    if not installed("tflite"):
        pytest.skip("the page shows the answers of the TFLite model; the ONNX one rounds otherwise")
    if ("clip.mp4" in example.command or "--camera" in example.command) and not find_spec("cv2"):
        pytest.skip('needs OpenCV: pip install "edgecnn[camera]"')
    if "--camera" in example.command and Path("/dev/video0").exists():
        pytest.skip("there is a camera")
    printed_there = printed(example.command, here, port, terminal)
    if request.config.getoption("--rewrite-pages"):
        rewrite(FILE, example, printed_there)
        return
    assert without_numbers(printed_there) == without_numbers(example.shown)


def test_every_option_is_on_the_page() -> None:
    (command,) = typer.main.get_command(program("classify")).commands.values()  # type: ignore[attr-defined]
    options = {each.opts[0] for each in command.params} - {"images", "--help"}
    assert len(options) > 12
    assert not {each for each in options if not re.search(rf"`[^`]*{each}\b", PAGE)}
    assert "(docs/classify.md)" in (ROOT / "README.md").read_text()
