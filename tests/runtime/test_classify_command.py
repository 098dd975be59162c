from __future__ import annotations

import csv
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from edgecnn import models
from edgecnn.cli.main import run
from edgecnn_runtime import container, trailers
from edgecnn_runtime.annotate import Folder
from edgecnn_runtime.classifier import Classifier

if TYPE_CHECKING:
    from tests.runtime.conftest import Script


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with pictures."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), (255, 0, 0)).save("red.png")
    Image.new("RGB", (9, 5), (0, 40, 80)).save("dusk.png")
    Path("broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return tmp_path


@pytest.mark.usefixtures("pictures")
def test_lines(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "red.png", "dusk.png", "--model", str(model), "--top", "2"]) == 0
    out, err = capsys.readouterr()
    red, dusk = (line.split("\t") for line in out.splitlines())
    assert (red[:2], dusk[0], dusk[1::2], err) == (["red.png", "red"], "dusk.png", ["blue", "green"], "")
    assert 0.9 < float(red[2]) <= 1


@pytest.mark.usefixtures("pictures")
def test_a_table(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(["classify", "red.png", "--model", str(model), "--top", "2"]) == 0
    assert run(["classify", "dusk.png", "--model", str(model), "--top", "2"]) == 0
    out, err = capsys.readouterr()
    red, first, _, dusk, *rows = out.splitlines()
    assert (red, dusk, err) == ("red.png", "dusk.png", "")
    assert first.split()[0] == "red"
    assert [row.split()[0] for row in rows] == ["blue", "green"]
    assert {row.index("%") for row in (first, *rows)} == {14}


@pytest.mark.usefixtures("pictures")
def test_json_lines(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "red.png", "dusk.png", "--model", str(model), "--json"]) == 0
    red, dusk = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(red) == ["file", "predictions"]
    assert (red["file"], dusk["file"]) == ("red.png", "dusk.png")
    assert [each["label"] for each in dusk["predictions"]] == ["blue", "green", "red"]
    assert [each["index"] for each in dusk["predictions"]] == [2, 1, 0]
    assert red["predictions"][0].keys() == {"label", "index", "score"}
    assert 0.9 < red["predictions"][0]["score"] <= 1


@pytest.mark.usefixtures("pictures")
def test_a_bad_picture_does_not_stop_the_others(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["none.jpg", "red.png", "broken.jpg", "red.png/x.jpg", "dusk.png"]
    assert run(["classify", *names, "--model", str(int8), "--json"]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["red.png", "dusk.png"]
    complaints = err.splitlines()
    assert [line.partition(":")[0] for line in complaints] == ["error"] * 3
    assert [line.split()[1] for line in complaints] == ["none.jpg:", "broken.jpg:", "red.png/x.jpg:"]


def test_nothing_steers_the_terminal(int8: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, size = container.parse(int8.read_bytes())
    labels = ("re\x1b[2Jd\n", "gr\u202een", "\udcffblå")
    # A label that is not text at all cannot be written by embed, but may stand in a file as an escape.
    text = replace(contract, labels=labels).to_json().encode("utf-8", "backslashreplace")
    listed = "".join(" ".join(label.split()) + "\n" for label in labels).encode("utf-8", "replace")
    evil = pictures / "evil.tflite"
    evil.write_bytes(int8.read_bytes()[:size] + trailers.tflite_trailer(size, text, listed))
    Path("a\x1b]0;b\n.png").write_bytes(Path("red.png").read_bytes())
    for extra in ([], ["--json"], ["--csv", "--top", "1"]):
        assert run(["classify", "a\x1b]0;b\n.png", "no\x1bne\n.png", "--model", str(evil), *extra]) == 1
        out, err = capsys.readouterr()
        assert all(line.replace("\t", "").isprintable() for line in (out + err).splitlines())
        assert len(err.splitlines()) == 1
        assert len(out.splitlines()) == (2 if "--csv" in extra else 1)
    assert run(["classify", "red.png", "--model", str(evil)]) == 0
    assert "re\\x1b[2Jd\\n" in capsys.readouterr().out


@pytest.mark.usefixtures("pictures")
def test_the_model_it_carries(int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "default_model", lambda backend: int8 if backend is None else None)
    assert run(["classify", "red.png"]) == 0
    assert "red.png" in capsys.readouterr().out


def test_the_carried_model_is_one_that_the_backend_runs() -> None:
    assert models.default_model("onnxruntime").name == "edge-s-int8.onnx"
    assert models.default_model("litert").name == "edge-s-int8.tflite"
    assert models.default_model().parent == Path(models.__file__).parent


@pytest.fixture
def hurried() -> Iterator[None]:
    """Fail after a minute: what is not refused may go on for ever."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it goes on"))
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("hurried")
def test_wrong_usage(int8: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red = str(pictures / "red.png")
    Path("empty").mkdir()
    Path("circle").symlink_to("circle")
    watched = "writes into the folder that --watch looks at; name another"
    for arguments, complaint in (
        ([], "nothing to classify; name pictures"),
        (["--json", "--csv", red], "three forms of an answer; choose one"),
        (["--json", "--quiet", red], "three forms of an answer; choose one"),
        (["--timing", "--quiet", red], "--quiet prints labels alone; leave out --timing"),
        (["--camera", "0", "--watch", "."], "--camera and --watch both go on for ever"),
        (["-", "--from", "-"], "standard input can be read only once"),
        (["-", "-"], "standard input can be read only once"),
        (["--smooth", "2", red], "--smooth averages over frames"),
        (["--camera", "0", "--smooth", "99999999999999999999"], "'--smooth'"),
        (["--camera", "3000000000"], "'--camera'"),
        (["--threshold", "1.5", red], "'--threshold'"),
        (["--threshold", "nan", red], "--threshold"),
        (["--threads", "0", red], "'--threads'"),
        (["--watch", red], f"{red}: is not a folder; name one to watch"),
        (["--watch", ".", "--annotate", "./"], f"--annotate ./ {watched}"),
        (["--watch", ".", "-r", "--annotate", "below/out"], f"--annotate below/out {watched}"),
        (["--watch", ".", "--annotate", "circle/out"], "circle/out: cannot be made a folder"),
        (["--annotate", red, red], f"{red}: cannot be made a folder"),
        (["--from", "none.txt"], "none.txt: cannot be read"),
        (["*.tiff"], "*.tiff: no file has such a name"),
        (["empty"], "empty: holds no pictures"),
        ([red, "--model", str(int8), "--top", "0"], "'--top'"),
        ([red, "--model", str(int8), "--backend", "tensorrt"], "backend 'tensorrt' does not run tflite files"),
        ([red, "--model", str(int8), "--wide"], "--wide"),
    ):
        assert run(["classify", *arguments]) == 2, arguments
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("error: ")
        assert complaint in err
        assert len(err.splitlines()) == 1
    assert not Path("below").exists()


@pytest.mark.usefixtures("pictures")
def test_csv_with_timing(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["red.png", "dusk.png", "--csv", "--timing", "--top", "2", "--model", str(int8)]
    assert run(["classify", *words]) == 0
    table = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(each["file"], each["rank"]) for each in table] == [
        ("red.png", "1"),
        ("red.png", "2"),
        ("dusk.png", "1"),
        ("dusk.png", "2"),
    ]
    assert all(0 < float(each[f"{step}_ms"]) < 1000 for each in table for step in ("decode", "resize", "inference"))


@pytest.mark.usefixtures("pictures")
def test_timing_in_lines_and_json(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["classify", "dusk.png", "--timing", "--top", "1", "--model", str(int8)]
    assert run(words) == run([*words, "--json"]) == 0
    line, document = capsys.readouterr().out.splitlines()
    name, *times, label, _ = line.split("\t")
    assert (name, label, len(times)) == ("dusk.png", "blue", 3)
    assert list(json.loads(document)["milliseconds"]) == ["decode", "resize", "inference"]


@pytest.mark.usefixtures("pictures")
def test_threshold_and_quiet(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["classify", "red.png", "dusk.png", "--model", str(int8)]
    assert run([*words, "--threshold", "0.9"]) == 0
    red, dusk = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert (len(red), red[1], dusk) == (3, "red", ["dusk.png"])
    assert run([*words, "--quiet"]) == run([*words, "-q", "--threshold", "0.9"]) == 0
    assert capsys.readouterr().out.splitlines() == ["red", "blue", "red", ""]
    assert run([*words, "-q", "--top", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "blue\tgreen"


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_the_order_is_that_of_the_input(
    int8: Path, pictures: Path, threads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (3000, 2000), "blue").save("large.png")
    names = ["large.png", "none.png", *["red.png", "dusk.png"] * 10, "large.png"]
    Path("list.txt").write_text("\n".join(names[12:]))
    words = [*names[:12], "--from", "list.txt", "--threads", threads, "--json", "--model", str(int8)]
    assert run(["classify", *words]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == [name for name in names if name != "none.png"]
    assert err == "error: none.png: no such file; check the path\n"


@pytest.mark.usefixtures("pictures")
def test_one_picture_has_all_threads_and_of_many_each_has_one(int8: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, told = Classifier.open, []

    def opened(path: Path, backend: str | None, threads: int) -> Classifier:
        told.append(threads)
        return begin(path, backend, threads)

    monkeypatch.setattr(Classifier, "open", opened)
    words = ["--threads", "3", "--model", str(int8)]
    assert run(["classify", "red.png", *words]) == run(["classify", "red.png", "dusk.png", *words]) == 0
    assert told == [3, 1]


@pytest.mark.usefixtures("pictures")
def test_a_folder_below_a_folder(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a/b").mkdir(parents=True)
    Path("red.png").rename("a/b/red.png")
    Path("dusk.png").rename("a/dusk.png")
    Path("broken.jpg").unlink()
    words = ["a", "--quiet", "--model", str(int8)]
    assert run(["classify", *words]) == run(["classify", "-r", *words]) == 0
    assert capsys.readouterr().out.splitlines() == ["blue", "red", "blue"]


def test_annotated_pictures(int8: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in pictures.iterdir()}
    words = ["classify", "red.png", "broken.jpg", "dusk.png", "--annotate", ".", "--json", "--model", str(int8)]
    assert run(words) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["annotated"] for line in out.splitlines()] == ["red-2.png", "dusk-2.png"]
    assert err.startswith("error: broken.jpg: ")
    assert {name: Path(name).read_bytes() for name in before} == before
    with Image.open("red-2.png") as picture:
        assert picture.size == (224, 224)


@pytest.mark.usefixtures("pictures")
def test_a_picture_that_is_replaced_meanwhile_gets_no_label_of_another(
    int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Folder.write

    def late(folder: Folder, name: str, picture: str, text: str, is_same: Callable[[], bool]) -> Path:
        if name == "red.png":
            shutil.copy("dusk.png", "new.png")
            Path("new.png").replace("red.png")
        return write(folder, name, picture, text, is_same)

    monkeypatch.setattr(Folder, "write", late)
    assert run(["classify", "red.png", "dusk.png", "--annotate", "out", "--json", "--model", str(int8)]) == 1
    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert first["predictions"][0]["label"] == "red"
    assert "annotated" not in first
    assert second["annotated"] == "out/dusk.png"
    assert err == "error: red.png: was replaced while it was classified, so there is no copy with its label\n"
    assert [path.name for path in Path("out").iterdir()] == ["dusk.png"]


@pytest.mark.usefixtures("pictures")
def test_a_copy_that_cannot_be_written_is_a_failure(
    int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert run(["classify", "red.png", "--annotate", "out", "--json", "--model", str(int8)]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["predictions"][0]["label"] == "red"
    assert "annotated" not in json.loads(out)
    assert err == "error: red.png: cannot be written to out (No space left on device)\n"


def test_a_file_that_fails_where_nobody_expects_it(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(container, "read", torn)
    assert run(["classify", "red.png", "--model", str(model)]) == 1
    assert capsys.readouterr().err == f"error: {model}: Input/output error; check its path and permissions\n"


def test_memory_that_does_not_suffice(
    model: Path, pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(_: Path) -> None:
        raise MemoryError

    monkeypatch.setattr(container, "read", short)
    assert run(["classify", "red.png", "--model", str(model)]) == 1
    line = "error: this takes more memory than there is; end other programs, or ask for less at a time\n"
    assert capsys.readouterr() == ("", line)


@pytest.mark.usefixtures("pictures")
def test_standard_input(int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("red.png").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert run(["classify", "-", "--annotate", "out", "--model", str(int8)]) == 0
    assert capsys.readouterr().out.startswith("-\tred\t0.9")
    assert Path("out/picture.png").exists()


@pytest.mark.usefixtures("pictures")
def test_a_film_is_smoothed(int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cv2 = pytest.importorskip("cv2", reason='needs OpenCV: pip install "edgecnn[camera]"')
    writer = cv2.VideoWriter("clip.avi", cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for colour in [(0, 0, 250)] * 3 + [(250, 0, 0)] + [(0, 0, 250)] * 3:  # blue, green, red
        writer.write(np.full((48, 64, 3), colour, np.uint8))
    writer.release()
    for smooth, labels in (("1", "red red red blue red red red"), ("4", " ".join(["red"] * 7))):
        assert run(["classify", "clip.avi", "-q", "--smooth", smooth, "--model", str(int8)]) == 0
        assert capsys.readouterr() == (labels.replace(" ", "\n") + "\n", "")
    assert run(["classify", "clip.avi", "red.png", "--smooth", "2", "--model", str(int8)]) == 2


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "--help"]) == 0
    assert "Example: edgecnn classify cam.jpg" in capsys.readouterr().out


def test_the_real_command(int8: Path, pictures: Path, python: Script) -> None:
    ended = python("-m", "edgecnn", "classify", "red.png", "--model", int8)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("red.png\tred\t0.9")
    damaged = pictures / "damaged.tflite"
    damaged.write_bytes(int8.read_bytes()[:-1])
    (pictures / "empty.onnx").touch()
    for image, model in (
        ("broken.jpg", int8),
        ("red.png", damaged),
        ("red.png", "empty.onnx"),
        ("red.png", "red.png"),
        ("red.png", "none.tflite"),
    ):
        ended = python("-m", "edgecnn", "classify", image, "--model", model)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("error: ")
        assert len(ended.stderr.splitlines()) == 1
        assert "Traceback" not in ended.stderr
