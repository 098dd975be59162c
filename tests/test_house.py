"""The rules of the house: who imports whom, how fast the command starts, what the Makefile and the pins promise."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgecnn import __version__
from edgecnn.cli.main import VERBS, program, run

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "edgecnn": ROOT / "edgecnn",
    "edgecnn_export": ROOT / "export" / "edgecnn_export",
    "edgecnn_runtime": ROOT / "runtime" / "edgecnn_runtime",
}
BELOW = {
    "edgecnn": {"edgecnn", "edgecnn_export", "edgecnn_runtime"},
    "edgecnn_export": {"edgecnn_export", "edgecnn_runtime"},
    "edgecnn_runtime": {"edgecnn_runtime"},
}
ON_THE_DEVICE = {"numpy", "PIL", "ai_edge_litert", "tflite_runtime", "onnxruntime"}
ONLY_IN = {"cv2": "sources/opencv.py", "picamera2": "sources/picamera.py"}
NOT_FOR_HELP = {"numpy", "PIL", "keras", "tensorflow", "jax", "rich", "matplotlib", "onnx", "optuna"}
TARGETS = {"demo", "test", "test-full", "test-arm", "parity", "lint", "types", "bench", "build", "clean"}


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Each file of a package and each top-level package that it imports, in functions too."""
    for path in sorted(PACKAGES[package].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "" if node.level == 0 else package]
            else:
                continue
            for name in names:
                yield str(path.relative_to(ROOT)), name.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    found = list(imports(package))
    assert found
    assert not [(path, name) for path, name in found if name in PACKAGES.keys() - BELOW[package]]


def test_the_runtime_needs_numpy_pillow_and_an_interpreter() -> None:
    allowed = sys.stdlib_module_names | ON_THE_DEVICE | {"edgecnn_runtime"}
    others = [(path, name) for path, name in imports("edgecnn_runtime") if name not in allowed]
    assert {name for _, name in others} == ONLY_IN.keys()
    assert all(path.endswith(ONLY_IN[name]) for path, name in others)


def verbs() -> dict[str, typer.core.TyperCommand]:
    """Every command of the program by its words, for instance ``data cifar10``."""

    def walk(command: typer.core.TyperCommand, words: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
        below = getattr(command, "commands", {})
        if not below:
            yield words, command
        for name, each in below.items():
            yield from walk(each, f"{words} {name}".strip())

    each = [walk(typer.main.get_command(program(verb)), "") for verb in VERBS]  # type: ignore[arg-type]
    return dict(chain.from_iterable(each))


def test_help_loads_nothing_that_is_slow() -> None:
    lines = "\n".join(f"run({[*words.split(), '--help']!r})" for words in ("", *verbs()))
    script = f"from edgecnn.cli.main import run\n{lines}\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.count("Usage: edgecnn") == len(verbs()) + 1
    assert "edgecnn.cli.main" in ended.stderr.split()
    assert not NOT_FOR_HELP & set(ended.stderr.split())


@pytest.mark.parametrize("words", verbs())
def test_every_command_shows_an_example_that_it_takes(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words.split(), "--help"]) == 0
    # Click wraps what it prints; the text as it was written has the example in one line.
    assert f"Example: edgecnn {words}" in " ".join(capsys.readouterr().out.split())
    command = verbs()[words]
    (example,) = re.findall(rf"Example: edgecnn {words}(.*)", command.help or "")
    command.make_context(words, shlex.split(example))


def test_every_make_target_has_its_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", makefile, re.MULTILINE)
    assert {name for name, _ in targets} > TARGETS
    assert not [name for name, rest in targets if not re.search(r"## \w", rest)]
    assert re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) == [name for name, _ in targets]
    if shutil.which("make"):
        shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        listed = re.findall(r"^  make ([a-z-]+) +\w", shown.stdout, re.MULTILINE)
        assert listed == [name for name, _ in targets]


def pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    pin = re.compile(r'[a-z0-9-]+==[0-9][0-9a-z.]*(; python_version (<|>=) "3\.\d+")?')
    assert not [line for line in pins() if not pin.fullmatch(line)]
    assert "://" not in (ROOT / "constraints.txt").read_text()


def test_all_that_dev_installs_is_pinned() -> None:
    pinned = {canonicalize_name(each.name) for each in map(Requirement, pins()) if holds(each, "")}
    needed: set[tuple[str, str]] = set()
    waiting = [("edgecnn", "dev"), ("edgecnn", "")]
    while waiting:
        name, extra = waiting.pop()
        needed.add((name, extra))
        for requirement in map(Requirement, metadata.requires(name) or []):
            if holds(requirement, extra):
                found = {(canonicalize_name(requirement.name), each) for each in ("", *requirement.extras)}
                waiting.extend(found - needed)
    assert len(needed) > 50
    assert {name for name, _ in needed} - {"edgecnn"} <= pinned


def holds(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def test_the_version_is_one() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text()


def test_no_file_names_a_package_index_or_this_folder() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [ROOT / name for name in names if (ROOT / name).is_file()]
    assert ROOT / "pyproject.toml" in paths
    index = re.compile(
        r"index[-_]url|find[-_]links|trusted[-_]host|PIP_(EXTRA_)?INDEX|file:/{2}"
        r"|https?:/{2}[^\s\"'<>]*(/simple\b|pythonhosted)",
        re.IGNORECASE,
    )
    for path in paths:
        text = path.read_bytes().decode(errors="replace")
        assert not index.search(text), path
        assert str(ROOT) not in text, path


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_place_on_the_page_of_rooms(package: str) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {Path(room): text for room, text in re.findall(r"^\| `(edgecnn[\w/]*)` \| (.+) \|$", page, re.MULTILINE)}
    home = PACKAGES[package].parent
    missing = []
    for path in sorted(PACKAGES[package].rglob("*.py")):
        module = path.relative_to(home).with_suffix("")
        room = next(each for each in module.parents if each in rooms)
        if not module.name.startswith("__") and f"`{module.name}`" not in rooms[room]:
            missing.append(str(module))
    assert not missing
