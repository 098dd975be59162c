"""The runtime against what one would write by hand, in turn: ``python benchmarks/runtime.py``.

The references lie in ``runtime_scripts``: short scripts with numpy, Pillow and an interpreter, and a Typer program of
one command. Each round runs the reference and ours one after the other, in processes of their own, and gives one ratio;
the table has the medians, and the smallest and largest ratio. ``--scale`` measures instead how time and memory grow
with the number of pictures.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from edgecnn import models
from edgecnn.data import samples

SCRIPTS = Path(__file__).with_name("runtime_scripts")
TFLITE, ONNX = models.carried("tflite"), models.carried("onnx")
FOLDER = 10_000
SCALE = (10, 100, 1_000, 10_000, 100_000)

Command = list[str]


class Used(NamedTuple):
    """What a process took: seconds of the clock, the most memory it held in MB, and what it printed."""

    seconds: float
    memory: float
    output: str


class Row(NamedTuple):
    """A line of the table: what is compared, the reference and ours, and the ratio aimed at."""

    what: str
    theirs: Command
    ours: Command
    unit: str
    target: str


def use(command: Command) -> Used:
    """Run a command to its end."""
    apart = [sys.executable, "-I", "-S", str(SCRIPTS / "apart.py")]
    ended = subprocess.run(apart + command, capture_output=True, text=True, check=True)
    seconds, memory = map(float, ended.stderr.split())
    return Used(seconds, memory / 1024, ended.stdout)


def script(name: str, *arguments: str | Path) -> Command:
    """The command that runs one of the scripts."""
    return [sys.executable, str(SCRIPTS / name), *map(str, arguments)]


def rows(picture: Path, pictures: Path) -> list[Row]:
    """What is compared, with one picture and with a folder of them."""

    def ours(model: Path, backend: str) -> Command:
        return script("edgecnn_entry.py", "classify", picture, "--model", model, "--backend", backend)

    litert = script("classify_tflite.py", picture, TFLITE, "ai_edge_litert")
    older = script("classify_tflite.py", picture, TFLITE, "tflite_runtime")
    onnxruntime = script("classify_onnx.py", picture, ONNX)
    by_hand = script("folder_by_hand.py", pictures, TFLITE)
    side_by_side = script("folder_by_edgecnn.py", pictures, TFLITE, "2")
    return [
        Row("`edgecnn classify`, LiteRT", litert, ours(TFLITE, "litert"), "ms", "1.15"),
        Row("`edgecnn classify`, tflite-runtime", older, ours(TFLITE, "tflite-runtime"), "ms", "1.15"),
        Row("`edgecnn classify`, onnxruntime", onnxruntime, ours(ONNX, "onnxruntime"), "ms", "1.15"),
        Row("`edgecnn --help`", script("one_command.py", "--help"), script("edgecnn_entry.py", "--help"), "ms", "1.25"),
        Row("`edgecnn classify`, memory", litert, ours(TFLITE, "litert"), "MB", "1.15"),
        Row(f"{FOLDER:,} PNGs of 32 x 32, 2 workers", by_hand, side_by_side, "ms", "0.625"),
    ]


def write_pictures(folder: Path, count: int) -> None:
    """Write the bundled test images as PNG files, over and over."""
    folder.mkdir()
    images = samples.test().images
    for index in range(count):
        path = folder / f"{index:06}.png"
        if index < len(images):
            Image.fromarray(images[index]).save(path)
        else:
            shutil.copyfile(folder / f"{index % len(images):06}.png", path)


def compare(row: Row, rounds: int) -> str:
    """One line of the table."""

    def measure(command: Command) -> float:
        used = use(command)
        return used.memory if row.unit == "MB" else 1000 * used.seconds

    pairs = [(measure(row.theirs), measure(row.ours)) for _ in range(rounds + 1)][1:]  # the first warms up
    ratios = [b / a for a, b in pairs]
    theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    return (
        f"| {row.what} | {theirs:,.0f} {row.unit} | {ours:,.0f} {row.unit} | {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}) | {row.target} |"
    )


def calls(rounds: int) -> str:
    """What a call takes beside the interpreter's own."""
    printed = [use(script("calls.py", TFLITE)).output.split() for _ in range(rounds)]
    times = [tuple(map(float, line)) for line in printed]
    invoke = statistics.median(each[0] for each in times)
    scores, classify = (statistics.median(each[way] - each[0] for each in times) for way in (1, 2))
    return (
        f"A call of the interpreter takes {invoke:.0f} us, the backend's scores {scores:.1f} us more, a picture "
        f"classified {classify:.1f} us more"
    )


def scale(folder: Path) -> None:
    """Print time and memory for more and more pictures."""
    print("| pictures | workers | seconds | ms a picture | MB, the largest process |\n|---:|---:|---:|---:|---:|")
    for count in SCALE:
        pictures = folder / f"{count}"
        write_pictures(pictures, count)
        for workers in ("1", "2"):
            used = use(script("folder_by_edgecnn.py", pictures, TFLITE, workers))
            per_picture = 1000 * used.seconds / count
            print(f"| {count:,} | {workers} | {used.seconds:.2f} | {per_picture:.3f} | {used.memory:.1f} |", flush=True)
        shutil.rmtree(pictures)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scale", action="store_true", help="how time and memory grow with the number of pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.scale:
            scale(folder)
            return
        picture, pictures = folder / "cam.jpg", folder / "pictures"
        frame = Image.fromarray(samples.test().images[0]).resize((640, 480), Image.Resampling.BICUBIC)
        frame.save(picture, quality=90)
        write_pictures(pictures, FOLDER)
        print("| what | by hand | edgecnn | ratio (range) | at most |\n|---|---:|---:|---:|---:|")
        for row in rows(picture, pictures):
            print(compare(row, options.rounds), flush=True)
        print(f"\n{calls(options.rounds)}")


if __name__ == "__main__":
    main()
