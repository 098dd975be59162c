"""What this machine is, as far as it matters to an interpreter: from the operating system, without numpy."""

from __future__ import annotations

import platform
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from edgecnn_runtime.threads import cores

_FEATURES = {
    "avx": "AVX",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "VNNI",
    "avx512_vnni": "VNNI",
    "amx_int8": "AMX",
    "neon": "NEON",
    "asimd": "NEON",
    "asimddp": "NEON dot product",
    "asimdhp": "NEON half precision",
    "i8mm": "NEON int8 matrices",
    "sve": "SVE",
}
"""What the interpreters have code of their own for, by the kernel's name of it."""

_CORES = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd4f": "Neoverse-V2",
}
"""ARM's own cores by their part number: the kernel does not name them. Those of the Raspberry Pis, and of servers."""


@dataclass(frozen=True)
class Machine:
    """A computer and the Python on it.

    Attributes:
        system: operating system and its version.
        architecture: what wheels must be for: ``x86_64``, ``aarch64``, ``armv7l``.
        processor: its name, and the board's where there is one; empty if unknown.
        features: instructions that the interpreters use, see :data:`_FEATURES`.
        cores: how many this process may use.
        memory: bytes of all of it, None if unknown.
        free_memory: bytes that a program can get without swapping, None if unknown.
        c_library: name and version, ``glibc 2.36``; empty if unknown.
        python: version.
        executable: of this Python.
    """

    system: str
    architecture: str
    processor: str
    features: tuple[str, ...]
    cores: int
    memory: int | None
    free_memory: int | None
    c_library: str
    python: str
    executable: str


def this_machine() -> Machine:
    """Look at the machine that this runs on; what cannot be found out is empty or None."""
    about, memory = _read("/proc/cpuinfo"), _read("/proc/meminfo")
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        architecture=architecture(platform.machine(), struct.calcsize("P")),
        processor=processor(about, board_name()) or platform.processor(),
        features=features(about),
        cores=cores(),
        memory=_bytes(memory, "MemTotal"),
        free_memory=_bytes(memory, "MemAvailable"),
        c_library=" ".join(platform.libc_ver()).strip(),
        python=platform.python_version(),
        executable=sys.executable,
    )


def board_name() -> str:
    """The name of the board by its device tree, for instance "Raspberry Pi 5 Model B Rev 1.0"; empty on PCs."""
    return _read("/proc/device-tree/model").strip("\0\n ")


def architecture(machine: str, pointer: int) -> str:
    """What wheels must be for: a 32-bit system may run on a 64-bit kernel, as Raspberry Pi OS does.

    Args:
        machine: as the kernel calls itself.
        pointer: bytes of a pointer in this Python.
    """
    if pointer == 4:
        return {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}.get(machine, machine)
    return machine


def processor(cpuinfo: str, board: str) -> str:
    """The name of the processor, with the board's where one is known; may be empty.

    Args:
        cpuinfo: text of Linux's ``/proc/cpuinfo``.
        board: its name, may be empty.
    """
    name = _field(cpuinfo, "model name")
    if _field(cpuinfo, "CPU implementer") == "0x41":
        name = _CORES.get(_field(cpuinfo, "CPU part"), name)
    return ", ".join(each for each in (board, name) if each)


def features(cpuinfo: str) -> tuple[str, ...]:
    """The instructions that matter and are there, each once.

    Args:
        cpuinfo: text of Linux's ``/proc/cpuinfo``.
    """
    flags = (_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split()
    return tuple(dict.fromkeys(name for flag, name in _FEATURES.items() if flag in flags))


def _field(text: str, name: str) -> str:
    """The first value of that name in ``name : value`` lines."""
    found = re.search(rf"^{name}\s*:[ \t]*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _bytes(meminfo: str, name: str) -> int | None:
    value = _field(meminfo, name).partition(" kB")[0]
    return 1024 * int(value) if value.isdigit() else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:  # not Linux, or not this board
        return ""
