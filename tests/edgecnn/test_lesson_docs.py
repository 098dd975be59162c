"""docs/lesson.md is true: its commands run one after another, and print and draw what stands there.

Its trainings get a hundred images of CIFAR-10 here, so their figures are others; the ``full`` ones get the whole set.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn.data import cifar10, samples
from edgecnn.inspection.convolution import KERNELS, Side, convolve
from tests.pages import DOCS, ROOT, Example, agree, examples, pictures, without_numbers, without_scores
from tests.runtime.conftest import Terminal
from tests.test_house import verbs

PAGE = (DOCS / "lesson.md").read_text()
WORDS = " ".join(PAGE.split())

REAL_WEIGHTS = (
    "takes 100 to 553 MB of weights, which no test fetches; zoo/test_pretrained.py goes the way with a small one"
)
NOT_RUN = {
    "edgecnn data cifar10": "fetches 140 MB; data/test_fetch_npm.py and test_fetch_download.py do, from a server here",
    "edgecnn models": "zoo/test_models_command.py runs it",
    "edgecnn train deeper": "trains for half an hour; here it trains by another recipe",
    "python benchmarks/make_vgg16_weights.py vgg16.npz": "fetches 64 MB",
    "edgecnn export vgg16 --int8 --calibration photos/": REAL_WEIGHTS,
    "edgecnn classify lion.jpg --model vgg16-int8.tflite --top 3": REAL_WEIGHTS,
} | {each.command: REAL_WEIGHTS for each in examples(PAGE) if re.search("vgg16.*npz|resnet50", each.command)}
RUN = [each for each in examples(PAGE) if each.command not in NOT_RUN]

# Keras is imported once for these; interpreters do not bear it beside them.
IN_THIS_PROCESS = {"models", "inspect", "train", "export"}

DRAWN = {
    "lesson-half.webp": "half/convolution.png",
    "lesson-blur.webp": "blur-frog/convolution.png",
    "lesson-sharpen.webp": "sharpen-frog/convolution.png",
    "lesson-sobel.webp": "left-to-right/convolution.png",
    "lesson-stride.webp": "stride-2/convolution.png",
    "lesson-pooling.webp": "stride-2/pooling.png",
    "lesson-filters.webp": "deeper-frog/filters-1-conv_1.png",
    "lesson-maps.webp": "deeper-frog/maps-1-conv_1.png",
    "lesson-maps-3.webp": "deeper-frog/maps-5-conv_3.png",
    "lesson-grad-cam.webp": "deeper-frog/grad-cam.png",
    "inspect-convolution.png": "edge-frog/convolution.png",
    "inspect-stride-and-padding.png": "stride-2/stride-and-padding.png",
}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the page's commands run: like a checkout, and no data anywhere."""
    folder = tmp_path_factory.mktemp("lesson")
    for name in ("models", "docs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def printed(there: Path, keras: Any) -> dict[str, str]:
    """What each command of the page printed, all of them run in the page's order."""
    few = (each.balanced(each.name, 10, seed=0) for each in (samples.calibration(), samples.test()))
    data = cifar10.Cifar10(*few)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(there)
        patch.setenv("XDG_CACHE_HOME", str(there / "cache"))
        patch.delenv("EDGECNN_DATA", raising=False)
        patch.setattr(cifar10, "load", lambda folder: data)
        return {each.command: ended_well(each.command) for each in RUN}


def ended_well(command: str) -> str:
    """Run the command and give all that it printed, or the words of its failure."""
    program, *words = shlex.split(command)
    if words[0] in IN_THIS_PROCESS:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
            status = run(words)
        return out.getvalue() if status == 0 else f"status {status}: {out.getvalue()}"
    start = [sys.executable] if program == "python" else [sys.executable, "-m", program]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with closing(Terminal()) as terminal:
        process = subprocess.Popen(
            [*start, *words], env=paths, stdin=subprocess.DEVNULL, stdout=terminal.end, stderr=terminal.end
        )
        text = terminal.screen()
    return text if process.wait(60) == 0 else f"status {process.returncode}: {text}"


def rough(verb: str, text: str) -> list[str]:
    """Lines without what differs from machine to machine, or from 1,000 test images to 10,000."""
    if verb == "inspect":
        return without_scores(text)
    if verb == "train":
        return [line for line in without_numbers(text) if not line.startswith("Keras ")]
    if verb == "export":
        return without_numbers(text.replace("cifar10/test-1000", "cifar10/test"))
    if verb == "models":
        # Keras numbers operations without a name of their own through the whole process.
        named = re.sub(r"\b(take|rgb_to_grayscale|split)_\d+\b", r"\1", text)
        return [" ".join(line.split()) for line in named.strip().splitlines()]
    if verb in {"classify", "verify"}:
        return [line.partition(", by ")[0] for line in without_numbers(text)]
    return text.strip().splitlines()


@pytest.mark.parametrize("example", RUN, ids=lambda example: example.command)
def test_the_page_shows_what_is_printed(example: Example, printed: dict[str, str], there: Path) -> None:
    verb = example.command.split()[1]
    seen, shown = rough(verb, printed[example.command]), rough(verb, example.shown)
    assert agree(seen, shown), "\n".join(seen)
    if verb == "inspect":
        for line in example.shown.splitlines():
            assert (there / line.partition(": ")[0]).read_bytes().startswith(b"\x89PNG")


def test_the_other_files_that_the_page_names(printed: dict[str, str], there: Path) -> None:
    named = re.findall(r"`((?:lesson|inspect)/[\w/.-]+\.\w+)`", PAGE)
    assert len(named) == 5
    assert all((there / each).exists() for each in named)


@pytest.fixture(scope="module")
def drawn(printed: dict[str, str], there: Path) -> dict[str, Any]:
    """The pictures that the commands have drawn, made small."""
    return {file: small(there / "inspect" / file) for file in DRAWN.values()}


def small(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((160, 160)), float)


@pytest.mark.parametrize("name", DRAWN)
def test_the_pictures_of_the_page_are_those_that_are_drawn(name: str, drawn: dict[str, Any]) -> None:
    shown = DOCS / "pictures" / name
    assert shown in pictures(PAGE)
    differences = {file: float(np.abs(each - small(shown)).mean()) for file, each in drawn.items()}
    assert min(differences, key=lambda file: differences[file]) == DRAWN[name]
    assert differences[DRAWN[name]] < 5


def test_every_command_is_run_or_has_a_reason() -> None:
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`((?:edgecnn|python) [^`]+)`", WORDS.replace("```", ""))
    commands = {*lines, *inline, *(each.command for each in examples(PAGE))}
    assert commands == {*NOT_RUN, *(each.command for each in RUN)}
    assert len(RUN) > 18
    for command in NOT_RUN:
        program, *words = shlex.split(command)
        if program == "python":
            assert (ROOT / words[0]).is_file()
        else:
            verb = next(" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in verbs())
            verbs()[verb].make_context(verb, words[len(verb.split()) :])


def test_the_convolution_by_hand_is_the_one_of_the_layer(keras: Any) -> None:
    frog = np.array(Image.open(DOCS / "pictures" / "frog.png"))
    sums = {
        "blur": "1350 / 9 = 150",
        "sharpen": "5 · 172 - (190 + 105 + 192 + 135) = 238",
        "edge": "8 · 172 - 1178 = 198",
    }
    for kernel, words in sums.items():
        assert words in WORDS
        assert round(float(convolve(frog, KERNELS[kernel], 1, "same")[24, 6, 0]), 3) == int(words.split()[-1])


def test_every_size_is_that_of_the_formula() -> None:
    sizes = re.findall(r"⌊\((\d+) \+ (\d+) - (\d+)\) / (\d+)⌋ \+ 1 = (\d+)", WORDS)
    assert len(sizes) == 3
    for size, padding, window, stride, output in (map(int, each) for each in sizes):
        assert Side(size, window, stride, padding).output == output


@pytest.mark.parametrize("network", ["baseline", "deeper"])
def test_the_trainings_are_those_of_the_results(network: str) -> None:
    (row,) = [line for line in (DOCS / "results.md").read_text().splitlines() if f"| `{network}` | `lesson`" in line]
    _, _, _, _, mean, _, each, _, _ = row.split("|")
    (shown,) = (one.shown for one in examples(PAGE) if f"train {network} " in one.command)
    assert f"test accuracy {each.split(',')[0].strip()}% on 10,000 images" in shown
    assert mean.strip() in PAGE


def test_its_pictures_are_there_and_small() -> None:
    mine = {*(DOCS / "pictures").glob("lesson-*"), DOCS / "pictures" / "cat.jpg"}
    assert mine < set(pictures(PAGE))
    assert all(each.exists() for each in pictures(PAGE))
    assert sum(each.stat().st_size for each in mine) < 400_000
    assert "(docs/lesson.md)" in (ROOT / "README.md").read_text()


@pytest.mark.full
@pytest.mark.parametrize("network", ["baseline", "deeper"])
def test_an_epoch_of_the_trainings_on_the_whole_set(network: str, tmp_path: Path) -> None:
    (example,) = (each for each in examples(PAGE) if f"train {network} " in each.command)
    words = [sys.executable, "-m", *shlex.split(example.command), "--epochs", "1"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=True)
    *_, about, epoch, accuracy, saved = ended.stdout.splitlines()
    assert about.replace("1 epoch of", "10 epochs of") in example.shown
    assert epoch.startswith("epoch 1/1  loss ")
    assert without_numbers(accuracy) == ["test accuracy 0% on 0 images"]
    assert saved in example.shown
    assert float(accuracy.split()[2].rstrip("%")) > 40
