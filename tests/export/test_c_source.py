"""The C sources of an int8 TFLite file: compiled by the system's compilers, they give back what was put in."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter  # works beside TensorFlow; tflite-runtime does not

from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn_export import c_source, tflite
from edgecnn_export import export as export_module
from edgecnn_export.c_text import comment, identifier
from edgecnn_export.tflite_int8 import TFLiteInt8
from edgecnn_runtime import container, sheet
from edgecnn_runtime.contract import Contract, Golden
from edgecnn_runtime.errors import ExportError

C99 = ("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
CXX = ("g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-x", "c++")

# Writes what the header declares to files, and prints its numbers.
MAIN = """
#include <stdio.h>
#include <string.h>
#include "PREFIX.h"

static void save(const char *name, const void *bytes, size_t count)
{
    FILE *file = fopen(name, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) {
        perror(name);
    }
}

int main(void)
{
    int index;
    unsigned char other[UPPER_CLASSES];
    save("model", PREFIX_model, sizeof PREFIX_model);
    save("input", PREFIX_golden_input, sizeof PREFIX_golden_input);
    save("output", PREFIX_golden_output, sizeof PREFIX_golden_output);
    for (index = 0; index < UPPER_CLASSES; ++index) {
        char name[32];
        sprintf(name, "label%d", index);
        save(name, PREFIX_labels[index], strlen(PREFIX_labels[index]));
    }
    memcpy(other, PREFIX_golden_output, sizeof other);
    other[1] = (unsigned char)(other[1] < 128 ? other[1] + 3 : other[1] - 3);
    printf("%d %d %d %d %d ", UPPER_HEIGHT, UPPER_WIDTH, UPPER_CHANNELS, UPPER_CLASSES, UPPER_GOLDEN_LABEL);
    printf("%g %d %g %d ", (double)UPPER_INPUT_SCALE, UPPER_INPUT_ZERO_POINT, (double)UPPER_OUTPUT_SCALE,
           UPPER_OUTPUT_ZERO_POINT);
    printf("%d %d ", PREFIX_golden_difference(PREFIX_golden_output), PREFIX_golden_difference(other));
    printf("%d\\n", (int)((size_t)PREFIX_model % 16));
    return 0;
}
"""

# Registers the operators in what has a method for each, as MicroMutableOpResolver has.
RESOLVER = """
#include <cstdio>
#include "PREFIX.h"
template <int most> struct Resolver {
    int count = 0;
    void add(const char *name) { std::printf("%s ", name); ++count; }
    METHODS
};
int main() {
    Resolver<UPPER_OPERATORS> resolver;
    UPPER_ADD_OPERATORS(resolver);
    return resolver.count != UPPER_OPERATORS;
}
"""


def named(text: str, prefix: str) -> str:
    return text.replace("PREFIX", prefix).replace("UPPER", prefix.upper())


def compiled(command: tuple[str, ...], *words: str | Path, folder: Path) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    ended = subprocess.run([*command, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def run_main(source: Path, prefix: str, folder: Path, library: tuple[str, ...], program: tuple[str, ...]) -> list[str]:
    """Compile the source and :data:`MAIN`, link and run them in ``folder``; what it prints."""
    (folder / "main.c").write_text(named(MAIN, prefix))
    compiled(library, "-c", source, "-o", "model.o", folder=folder)
    compiled(program, "-I", source.parent, "-c", "main.c", "-o", "main.o", folder=folder)
    compiled(("g++" if CXX in (library, program) else "cc",), "main.o", "model.o", "-o", "main", folder=folder)
    ended = subprocess.run([folder / "main"], cwd=folder, capture_output=True, text=True, check=True)
    return ended.stdout.split()


def answer(model: bytes, pixels: bytes) -> npt.NDArray[np.uint8]:
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(given["index"], np.frombuffer(pixels, np.uint8).reshape(given["shape"]))
    interpreter.invoke()
    return np.array(interpreter.get_tensor(wanted["index"])[0], np.uint8)


@pytest.mark.parametrize(("library", "program"), [(C99, C99), (CXX, CXX), (C99, CXX)], ids=["c", "c++", "c in c++"])
def test_compiled_it_is_the_file(
    library: tuple[str, ...], program: tuple[str, ...], other_ways: Path, tmp_path: Path
) -> None:
    printed = run_main(other_ways / "baseline_int8.c", "baseline_int8", tmp_path, library, program)
    contract, whole = container.read(other_ways / "baseline-int8.tflite")
    assert (tmp_path / "model").read_bytes() == whole[: container.parse(whole)[1]]
    labels = [(tmp_path / f"label{index}").read_bytes().decode() for index in range(10)]
    assert tuple(labels) == contract.labels
    pixels, output = (tmp_path / "input").read_bytes(), (tmp_path / "output").read_bytes()
    assert answer(whole, pixels).tobytes() == output
    assert printed == ["32", "32", "3", "10", str(np.argmax(list(output))), "1", "0", "0.00390625", "0", "0", "3", "0"]


def test_the_golden_image_is_a_real_one_and_says_something(other_ways: Path, tmp_path: Path) -> None:
    run_main(other_ways / "baseline_int8.c", "baseline_int8", tmp_path, C99, C99)
    image, output = (np.fromfile(tmp_path / name, np.uint8) for name in ("input", "output"))
    assert any((image == each.ravel()).all() for each in samples.test().images)
    second, first = np.sort(output.astype(int))[-2:]
    assert 64 <= first - second < 192


def test_the_operators_are_those_of_the_model(other_ways: Path, tmp_path: Path) -> None:
    expected = ["AddQuantize", "AddConv2D", "AddMaxPool2D", "AddReshape", "AddFullyConnected", "AddSoftmax"]
    methods = " ".join(f'void {name}() {{ add("{name}"); }}' for name in expected)
    (tmp_path / "main.cpp").write_text(named(RESOLVER.replace("METHODS", methods), "baseline_int8"))
    compiled(CXX, "-I", other_ways, "main.cpp", "-o", "main", folder=tmp_path)
    ended = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == expected


def test_header_and_source_of_two_exports_do_not_compile(other_ways: Path, tmp_path: Path) -> None:
    header = (other_ways / "baseline_int8.h").read_text()
    number = re.findall(r"_EXPORT 0x(\w+)", header)[0]
    (tmp_path / "baseline_int8.h").write_text(header.replace(number, "12345678"))
    shutil.copy(other_ways / "baseline_int8.c", tmp_path)
    ended = subprocess.run([*C99, "-c", "baseline_int8.c"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode
    assert "another export" in ended.stderr


def rewritten(other_ways: Path, folder: Path, **changes: Any) -> Path:
    """The TFLite file with another contract."""
    contract, whole = container.read(other_ways / "baseline-int8.tflite")
    path = folder / "other.tflite"
    path.write_bytes(container.embed(whole[: container.parse(whole)[1]], replace(contract, **changes)))
    return path


def test_the_golden_image_is_one_that_all_agree_on_and_are_not_quite_sure_of(other_ways: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)

    def steps(first: int, second: int) -> tuple[float, ...]:
        return (first / 256, second / 256, *(8 * [(256 - first - second) / 8 / 256]))

    sure, tossed, split, misread, best = (
        steps(*each) for each in ((250, 2), (110, 90), (140, 70), (145, 65), (160, 60))
    )
    here = (sure, tossed, split, misread, best)
    there = (sure, tossed, steps(143, 67), misread, best)
    reference = (sure, tossed, split, misread[::-1], best)
    golden = Golden(5, sheet.pack_text(images), reference, {"here 1.0": here, "there 1.0": there})
    _, source = c_source.write(rewritten(other_ways, tmp_path, golden=golden))
    run_main(source, source.stem, tmp_path, C99, C99)
    image, output = (np.fromfile(tmp_path / name, np.uint8) for name in ("input", "output"))
    assert [(image == each.ravel()).all() for each in images] == [False] * 4 + [True]
    assert output.tolist() == [160, 60, *(8 * [4])]


@pytest.mark.parametrize(("library", "program"), [(C99, C99), (CXX, CXX)], ids=["c", "c++"])
def test_any_label_and_any_name(
    library: tuple[str, ...], program: tuple[str, ...], other_ways: Path, tmp_path: Path
) -> None:
    labels = ('"', "a\\b", "what??/", "??=", "naïve 7", "猫", "*/ /*", "tab\tand\nline", "%s\x01", "é1")
    path = rewritten(other_ways, tmp_path, labels=labels, model="3 */ ??/\n#error \\ é")
    header, source = c_source.write(path)
    assert (header.name, source.name) == ("model_3_error_int8.h", "model_3_error_int8.c")
    (tmp_path / "run").mkdir()
    run_main(source, source.stem, tmp_path / "run", library, program)
    assert tuple((tmp_path / "run" / f"label{index}").read_bytes().decode() for index in range(10)) == labels


@pytest.mark.parametrize(
    ("name", "safe"),
    [("resnet20", "resnet20"), ("my-net v2", "my_net_v2"), ("7", "model_7"), ("é", "model"), ("__x__y", "x_y")],
)
def test_names_are_identifiers(name: str, safe: str) -> None:
    assert identifier(name) == safe


def test_a_comment_stays_one() -> None:
    assert comment("a */ b ??/ \\\n c") == "a _/ b __/ __ c"


def test_a_label_with_a_zero_is_refused(other_ways: Path, tmp_path: Path) -> None:
    path = rewritten(other_ways, tmp_path, labels=("a\0b", *"cdefghijk"))
    with pytest.raises(ExportError, match="zero character, which ends a string in C"):
        c_source.write(path)
    assert [each.name for each in tmp_path.iterdir()] == ["other.tflite"]


def test_only_int8_tflite_files_become_c(baseline: Any, other_ways: Path, tmp_path: Path) -> None:
    about, _ = container.read(other_ways / "baseline-int8.tflite")
    path = tmp_path / "baseline-fp32.tflite"
    contract = Contract("baseline", "tflite", "fp32", about.labels, about.input)
    path.write_bytes(container.embed(tflite.convert(baseline, "fp32", None), contract))
    with pytest.raises(ExportError, match=r"baseline-fp32\.tflite is fp32 tflite; C is made of int8"):
        c_source.write(path)


def test_a_full_disk_leaves_nothing(other_ways: Path, tmp_path: Path) -> None:
    shutil.copy(other_ways / "baseline-int8.tflite", tmp_path)
    (tmp_path / "baseline_int8.h").write_text("yesterday's")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            c_source.write(tmp_path / "baseline-int8.tflite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["baseline-int8.tflite", "baseline_int8.h"]
    assert (tmp_path / "baseline_int8.h").read_text() == "yesterday's"


def test_a_refused_model_is_not_written_in_c(
    other: Any,
    baseline_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(tflite, "TFLiteInt8", lambda _, images: TFLiteInt8(other, images))
    out = tmp_path / "out"
    assert edgecnn(["export", str(baseline_path), "--format", "c", "--out", str(out), "--no-rescue"]) == 1
    assert "error: refused: baseline-int8.tflite" in capfd.readouterr().err
    assert not list(out.glob("*_int8.*"))


@pytest.mark.parametrize(("form", "precision"), [("c", "fp32"), ("savedmodel", "int8"), ("keras", "fp16")])
def test_the_other_ways_have_one_precision(
    form: str,
    precision: str,
    baseline_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    out = tmp_path / "out"
    assert edgecnn(["export", str(baseline_path), "--format", form, "--precision", precision, "--out", str(out)]) == 2
    only = export_module.ONLY[form]
    assert f"error: {form} is written in {only} only, not in {precision}" in capfd.readouterr().err
    assert not out.exists()
