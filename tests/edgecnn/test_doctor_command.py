"""``edgecnn doctor`` in small environments: with real interpreters, with broken ones, with none."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edgecnn import __version__
from edgecnn.cli.main import run
from edgecnn.models import carried
from edgecnn_runtime import container
from edgecnn_runtime import doctor as examining
from edgecnn_runtime.backends import LIBRARIES
from edgecnn_runtime.doctor import examine
from edgecnn_runtime.machine import Machine
from tests.edgecnn.conftest import Environment

CRASH = "import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n"
HANG = "import time\ntime.sleep(600)\n"
REFUSE = "raise ImportError('libatomic.so.1: cannot open shared object file\\nsecond line')\n"
LACK = "import no_such_module\n"

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def bare(environment: Environment) -> Path:
    """A Python with edgecnn, numpy, Pillow and Typer."""
    return environment()


@pytest.fixture(scope="module")
def with_onnx(environment: Environment) -> Path:
    """The same with onnxruntime."""
    if not find_spec("onnxruntime"):
        pytest.skip("onnxruntime is not installed")
    return environment("onnxruntime")


def fake(folder: Path, **bodies: str) -> Path:
    """A folder of packages, each of which does something when it is imported."""
    for package, body in bodies.items():
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text(body)
    return folder


def doctor(python: Path, *words: str, site: Path | None = None) -> Ended:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if site:
        environment["PYTHONPATH"] = str(site)
    command = [str(python), "-W", "error", "-m", "edgecnn", "doctor", *words]
    return subprocess.run(
        command, env=environment, cwd=python.parent, capture_output=True, text=True, timeout=120, check=False
    )


def states(ended: Ended) -> dict[str, str]:
    return {each["name"]: each["state"] for each in json.loads(ended.stdout)["interpreters"]}


def test_no_interpreter_at_all(bare: Path) -> None:
    ended = doctor(bare)
    assert ended.returncode == 1
    (error,) = ended.stderr.splitlines()
    assert error.startswith("error: no interpreter works here")
    lines = ended.stdout.splitlines()
    assert lines[0] == f"{'Python':10} {platform.python_version()}, {bare}"
    assert platform.machine() in lines[1]
    assert lines[5].startswith(f"{'edgecnn':10} {__version__}, numpy {np.__version__}, Pillow ")
    assert [line.split()[3] for line in lines if line.split(" ")[0] in LIBRARIES and "files" not in line][:3] == [
        "missing"
    ] * 3
    assert f'  {bare} -m pip install "edgecnn[litert]"' in lines
    assert f'  {bare} -m pip install "edgecnn[onnx]"' in lines
    if sys.version_info < (3, 12):
        assert f'  {bare} -m pip install "edgecnn[tflite]"' in lines
    else:
        assert any(line.startswith("tflite-runtime has no wheel for Python 3.") for line in lines)
    assert states(doctor(bare, "--json")) == dict.fromkeys(LIBRARIES, "missing")


def test_a_crash_a_hang_and_a_refusal_are_lines(bare: Path, tmp_path: Path) -> None:
    site = fake(tmp_path / "site", ai_edge_litert=CRASH, tflite_runtime=HANG, onnxruntime=REFUSE)
    begun = time.perf_counter()
    ended = doctor(bare, "--timeout", "3", site=site)
    assert time.perf_counter() - begun < 30
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    shown = ended.stdout
    assert shown.count(" broken ") == 3
    assert (
        f"litert killed by SIGILL (an instruction that this processor does not have) ({site}/ai_edge_litert)" in shown
    )
    assert "  take another interpreter: the same wheel would do the same again\n" in shown
    assert f"tflite-runtime hangs: no answer in 3 s ({site}/tflite_runtime)" in shown
    assert f"ImportError: libatomic.so.1: cannot open shared object file ({site}/onnxruntime)" in shown
    assert f'  {bare} -m pip install --force-reinstall --no-deps "onnxruntime>=1.18.1"\n' in shown
    assert "Traceback" not in shown
    assert not list(bare.parent.glob("core*"))


def test_an_interrupt_ends_what_is_tried(bare: Path, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    write = f"import os\nopen({str(pid)!r}, 'w').write(f'{{os.getpid()}}\\n')\n"
    site = fake(tmp_path / "site", ai_edge_litert=write + HANG)
    process = subprocess.Popen(
        [str(bare), "-m", "edgecnn", "doctor"],
        env=os.environ | {"PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (pid.exists() and pid.read_text().endswith("\n")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "error: interrupted\n")
    assert process.returncode == 130
    stat, ends = Path(f"/proc/{pid.read_text().strip()}/stat"), time.monotonic() + 10
    with suppress(FileNotFoundError):
        # Until it has ended, and only waits for the system to take note.
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < ends, "it goes on"
            time.sleep(0.01)


def test_a_part_of_an_interpreter_is_missing(bare: Path, tmp_path: Path) -> None:
    ended = doctor(bare, "--json", site=fake(tmp_path / "site", onnxruntime=LACK))
    (found,) = [each for each in json.loads(ended.stdout)["interpreters"] if each["name"] == "onnxruntime"]
    assert found["problem"].startswith("ModuleNotFoundError: No module named 'no_such_module'")
    assert found["remedy"] == f'{bare} -m pip install "edgecnn[onnx]"'


def test_tflite_runtime_gets_the_numpy_that_it_was_compiled_against(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine("Linux 6", "x86_64", "", (), 1, None, None, "glibc 2.36", "3.11.2", sys.executable)
    problem = "ImportError: numpy.core.multiarray failed to import"
    for numpy, extra in (("2.4.6", True), ("1.26.4", False)):
        monkeypatch.setattr(examining, "_version", {"numpy": numpy}.get)
        assert examining._remedy("tflite-runtime", problem, machine).endswith('"edgecnn[tflite]"') is extra
        assert examining._remedy("litert", problem, machine).endswith('--no-deps "ai-edge-litert>=2.0"')


def test_a_numpy_that_crashes_does_not_take_the_doctor_with_it(bare: Path, tmp_path: Path) -> None:
    ended = doctor(bare, "--json", site=fake(tmp_path / "site", numpy=CRASH))
    assert ended.returncode == 1
    numpy, pillow = json.loads(ended.stdout)["packages"]
    assert numpy["problem"].startswith("killed by SIGILL")
    assert numpy["remedy"] == f"{bare} -m pip install --force-reinstall --no-deps numpy"
    assert pillow["problem"] is None
    shown = doctor(bare, site=tmp_path / "site").stdout
    assert "\nnumpy: killed by SIGILL" in shown


def test_a_numpy_that_does_not_load_is_what_is_to_be_mended(with_onnx: Path, tmp_path: Path) -> None:
    site = fake(tmp_path / "site", numpy=REFUSE, tflite_runtime="")
    found = json.loads(doctor(with_onnx, "--json", site=site).stdout)
    (numpy, _), (_, _, onnxruntime) = found["packages"], found["interpreters"]
    assert numpy["remedy"].endswith(' -m pip install --force-reinstall --no-deps "numpy<2"')
    assert (onnxruntime["state"], onnxruntime["remedy"]) == ("broken", "mend numpy first")
    command = [str(with_onnx), "-m", "edgecnn", "classify", "cam.jpg"]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: a package does not load (libatomic.so.1: cannot open shared object file); "
        "edgecnn doctor mends numpy, Pillow and the interpreters\n"
    )


def test_one_that_works_is_enough(with_onnx: Path, tmp_path: Path) -> None:
    ended = doctor(with_onnx, "--json", site=fake(tmp_path / "site", tflite_runtime=CRASH))
    assert (ended.returncode, ended.stderr) == (0, "")
    document = json.loads(ended.stdout)
    assert document["working"] == ["onnxruntime"]
    assert document["edgecnn"] == __version__
    assert document["machine"]["architecture"] == platform.machine()
    assert states(ended) == {"litert": "missing", "tflite-runtime": "broken", "onnxruntime": "works"}
    trial = document["interpreters"][2]["trial"]
    assert (trial["pictures"], trial["same"]) == (16, 16)
    assert 10 < trial["images_per_second"] < 1e6
    assert 1 < trial["start_ms"] < 60_000


@pytest.mark.skipif(not find_spec("tflite_runtime"), reason="tflite-runtime is not installed")
def test_the_interpreter_to_take_instead_of_the_preferred_one(environment: Environment, tmp_path: Path) -> None:
    ended = doctor(environment("tflite-runtime"), site=fake(tmp_path / "site", ai_edge_litert=REFUSE))
    assert ended.returncode == 0
    row = next(line for line in ended.stdout.splitlines() if line.startswith("tflite-runtime "))
    assert row.split()[1:4] == ["tflite", metadata.version("tflite-runtime"), "works"]
    assert row.endswith("16 of 16")
    assert ended.stdout.splitlines()[-1] == "edgecnn takes litert for tflite files: say --backend tflite-runtime"


def test_an_interpreter_that_computes_something_else_is_broken(tmp_path: Path) -> None:
    """Other weights under the same proof, for no installed interpreter computes wrongly."""
    files = {}
    for form in ("tflite", "onnx"):
        contract, data = container.read(carried(form))
        size = container.parse(data)[1]
        middle = size // 2
        payload = data[:middle] + bytes(4000) + data[middle + 4000 : size]
        files[form] = tmp_path / f"other.{form}"
        files[form].write_bytes(container.embed(payload, contract))
    shown: list[tuple[int, int]] = []
    report = examine(files, 60, lambda done, total: shown.append((done, total)))
    assert shown == [(done, 5) for done in range(6)]
    tried = [each for each in report.interpreters if each.state != "missing"]
    assert tried
    for each in tried:
        assert each.state == "broken"
        assert each.problem
        assert each.problem.endswith(" of 16 pictures get other answers than at export")
        assert each.remedy == f"edgecnn verify {files[each.format]} --backend {each.name}"
    assert report.working == []


def test_the_doctor_itself_loads_neither_numpy_nor_an_interpreter(with_onnx: Path) -> None:
    script = (
        "import sys; from edgecnn.cli.main import run; status = run(['doctor', '--json']); "
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr); sys.exit(status)"
    )
    command = [str(with_onnx), "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(ended.stdout)["working"] == ["onnxruntime"]
    assert not {"numpy", "PIL", "onnxruntime"} & set(ended.stderr.split())


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--timeout", "0"], ["--timeout", "soon"], ["--timeout", "inf"], ["--timeout", "9" * 20], ["now"]):
        assert run(["doctor", *words]) == 2
        assert capsys.readouterr().err.startswith("error: ")
