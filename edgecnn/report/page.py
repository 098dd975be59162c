"""The page: templates filled with what was found, and a file that is complete or is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edgecnn_export import markdown
from edgecnn_export.placing import written
from edgecnn_runtime.errors import DataError, UsageError
from edgecnn_runtime.wording import counted

_ENDINGS = (".html", ".htm")


def rendered(**found: Any) -> str:
    """The page as HTML. Every word in it is shown as it is: none is markup, and none steers what is around it."""
    environment = Environment(
        loader=PackageLoader("edgecnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "percent": _percent,
        "figure": _figure,
        "counted": counted,
        "shell": lambda path: markdown.shell(str(path)),
    }
    # A part of this package: nobody's words are in it.
    style = Markup(Path(__file__).with_name("templates").joinpath("style.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html").render(style=style, **found)


def _visible(value: Any) -> Any:
    """What is printed, without anything that cannot be seen, for instance what turns the order of letters round."""
    return markdown.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _figure(value: Any) -> Any:
    """A value of a recipe or a run, as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else value


def _percent(share: float | None, digits: int = 2) -> str:
    return "-" if share is None else f"{share:.{digits}%}"


def check(path: Path) -> None:
    """See that a page can be written to ``path``, before what is to be on it is measured.

    Raises:
        UsageError: such a file is no page.
        DataError: it cannot be written there.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{path} is no name of a page; choose one that ends in .html for --out")
    if path.is_dir():
        raise DataError(f"{path} is a folder; choose another --out")
    with _writing(path), TemporaryFile(dir=path.parent):
        pass


def write(path: Path, text: str) -> None:
    """Write the page, in the place of what is there.

    Raises:
        DataError: it cannot be written; what was there stays.
    """
    with _writing(path), written(path) as own:
        own.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise DataError(f"{path} cannot be written ({problem.strerror}); choose another --out") from None
