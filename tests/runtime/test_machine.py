from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.tags import sys_tags

from edgecnn_runtime import machine
from edgecnn_runtime.backends import LIBRARIES
from edgecnn_runtime.machine import Machine, this_machine
from edgecnn_runtime.wheels import WHEELS, obstacle, pip

PI_5 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

Revision\t: c04170
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""
PI_2 = """processor\t: 0
model name\t: ARMv7 Processor rev 5 (v7l)
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm
CPU implementer\t: 0x41
CPU part\t: 0xc07
"""
PC = """processor\t: 0
model name\t: 11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz
flags\t\t: fpu sse4_2 avx f16c fma avx2 avx512f avx512_vnni
processor\t: 1
model name\t: another
flags\t\t: fpu amx_int8
"""


def test_names_and_features_of_processors() -> None:
    assert machine.processor(PI_5, "Raspberry Pi 5 Model B Rev 1.0") == "Raspberry Pi 5 Model B Rev 1.0, Cortex-A76"
    assert machine.features(PI_5) == ("NEON", "NEON dot product", "NEON half precision")
    assert machine.processor(PI_2, "") == "Cortex-A7"
    assert machine.processor(PI_2.replace("0xc07", "0xfff"), "") == "ARMv7 Processor rev 5 (v7l)"
    assert machine.features(PI_2) == ("NEON",)
    assert machine.processor(PC, "") == "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz"
    assert machine.features(PC) == ("AVX", "AVX2", "AVX-512", "VNNI")
    assert machine.features(PC.replace("avx512_vnni", "avx_vnni")) == ("AVX", "AVX2", "AVX-512", "VNNI")
    assert (machine.processor("", ""), machine.features("")) == ("", ())


@pytest.mark.parametrize(
    ("kernel", "pointer", "wheel"),
    [
        ("aarch64", 8, "aarch64"),
        ("aarch64", 4, "armv7l"),  # 32-bit Raspberry Pi OS on its 64-bit kernel
        ("armv8l", 4, "armv7l"),
        ("armv7l", 4, "armv7l"),
        ("armv6l", 4, "armv6l"),
        ("x86_64", 8, "x86_64"),
        ("x86_64", 4, "i686"),
    ],
)
def test_the_architecture_is_that_of_the_wheels(kernel: str, pointer: int, wheel: str) -> None:
    assert machine.architecture(kernel, pointer) == wheel


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_this_machine() -> None:
    found = this_machine()
    assert found.python == platform.python_version()
    assert found.executable == sys.executable
    assert f"_{found.architecture}" in next(iter(sys_tags())).platform
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.memory
    assert found.free_memory
    # A 32-bit C library counts in 32 bits, also where an emulated computer has more.
    told = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert told == pytest.approx(found.memory % (sys.maxsize * 2 + 2), rel=0.01)
    assert 0 < found.free_memory < found.memory
    assert all(isinstance(each, str) for each in found.features)


def test_a_machine_that_tells_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "Path", lambda name: tmp_path / name.lstrip("/"))
    found = this_machine()
    assert (found.features, found.memory, found.free_memory) == ((), None, None)
    assert asdict(found)["processor"] == platform.processor()


@pytest.fixture
def pi() -> Machine:
    return Machine("Linux 6.12", "aarch64", "", (), 4, None, None, "glibc 2.41", "3.11.9", "/usr/bin/python3")


def test_what_hinders_each_wheel(pi: Machine) -> None:
    assert [obstacle(name, pi) for name in WHEELS] == [None, None, None]
    newer = replace(pi, python="3.13.5")
    assert [obstacle(name, newer) for name in WHEELS] == [
        None,
        "has no wheel for Python 3.13, only for 3.9 to 3.11",
        None,
    ]
    small = replace(pi, architecture="armv7l")
    assert [obstacle(name, small) for name in WHEELS] == [
        "has no wheel for armv7l, only for x86_64 and aarch64",
        None,
        "has no wheel for armv7l, only for x86_64 and aarch64",
    ]
    assert obstacle("tflite-runtime", replace(pi, architecture="armv6l")) == (
        "has no wheel for armv6l, only for x86_64, aarch64 and armv7l"
    )
    buster = replace(pi, c_library="glibc 2.28")
    assert [obstacle(name, buster) for name in WHEELS] == [
        None,
        "has no wheel for glibc 2.28: it needs glibc 2.34 or newer",
        None,
    ]
    assert obstacle("litert", replace(pi, c_library="glibc 2.9")) == (
        "has no wheel for glibc 2.9: it needs glibc 2.27 or newer"
    )
    alpine = replace(pi, c_library="")
    assert obstacle("onnxruntime", alpine) == "has no wheel for this C library: it needs glibc 2.28 or newer"
    assert obstacle("litert", replace(pi, system="Darwin 24.1", architecture="arm64", c_library="")) is None


def test_every_interpreter_has_its_wheels_and_they_are_what_the_extras_require() -> None:
    assert WHEELS.keys() == LIBRARIES.keys()
    required = [Requirement(text) for text in metadata.requires("edgecnn") or []]
    for name, library in LIBRARIES.items():
        wanted = Requirement(WHEELS[name].requirement)
        assert wanted.name == WHEELS[name].distribution
        environment = {"extra": library.extra, "python_version": "3.11", "sys_platform": "linux"}
        assert (wanted.name, wanted.specifier) in [
            (each.name, each.specifier) for each in required if each.marker and each.marker.evaluate(environment)
        ]


def test_the_line_for_pip_is_this_python_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("mine", "other"):
        (tmp_path / folder).mkdir()
        for program in ("pip", "python"):
            (tmp_path / folder / program).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "mine" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "mine"))
    assert pip("numpy") == "pip install numpy"
    monkeypatch.setenv("PATH", f"{tmp_path / 'other'}:{tmp_path / 'mine'}")
    assert pip("--upgrade", "numpy") == f"{tmp_path / 'mine' / 'python'} -m pip install --upgrade numpy"
