"""ARM computers without the hardware: Debian's qemu-user, and Debian's own systems for ARM unpacked into a folder.

Nothing is installed and nothing needs root: apt fetches the packages with lists and a state of its own, and checks
their signatures; dpkg unpacks them. Raspberry Pi OS is made of these very packages. ``python -m tests.device.emulator``
makes everything ready, 340 MB, in ``$EDGECNN_ARM``, or ``arm`` in the folder of the data sets.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edgecnn.data.folder import data_folder

KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
QEMU_SUITE = "trixie"
"""qemu 7.2 of Debian 12 crashes in LiteRT and in onnxruntime; the program is static and runs on older systems."""

LIBRARIES = ("libstdc++6", "libatomic1", "libgomp1")


class Unavailable(Exception):
    """The emulator cannot be installed here; the message says why."""


@dataclass(frozen=True)
class System:
    """A Debian release for one kind of processor.

    Attributes:
        suite: the release's code name.
        architecture: in Debian's words.
        python: its Python, and the name of the package.
        packages: what a user installs besides, with apt.
    """

    suite: str
    architecture: str
    python: str
    packages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For folders and for people."""
        return f"{self.suite}-{self.architecture}"


BOOKWORM = System("bookworm", "arm64", "python3.11")
TRIXIE = System("trixie", "arm64", "python3.13")
# For 32-bit ARM there are no wheels of numpy and Pillow.
BOOKWORM_32 = System("bookworm", "armhf", "python3.11", ("python3-numpy", "python3-pil"))
SYSTEMS = (BOOKWORM, TRIXIE, BOOKWORM_32)


def folder() -> Path:
    """Where all of it is kept."""
    return Path(os.environ.get("EDGECNN_ARM") or data_folder() / "arm").absolute()


def emulator(system: System) -> Path:
    """The program that runs the system's programs, fetched if need be.

    Raises:
        Unavailable: it cannot be fetched.
    """
    target = folder() / "qemu"
    if not target.exists():
        with TemporaryDirectory(dir=_made(folder())) as work:
            archives = _fetched(System(QEMU_SUITE, _apt_says("APT::Architecture"), ""), ["qemu-user"], Path(work))
            _run("dpkg", "-x", next(each for each in archives if each.name.startswith("qemu-user_")), work)
            ready = _made(Path(work, "ready"))
            for name in ("qemu-aarch64", "qemu-arm"):
                shutil.copy(Path(work, "usr/bin", name), ready)
            ready.rename(target)
    return target / ("qemu-arm" if system.architecture == "armhf" else "qemu-aarch64")


def root(system: System) -> Path:
    """The system's files, fetched and unpacked if need be; ``usr/bin/python3`` below starts its Python from here.

    Raises:
        Unavailable: they cannot be fetched.
    """
    program, target = emulator(system), folder() / system.name
    if not target.exists():
        with TemporaryDirectory(dir=folder()) as work:
            wanted = [system.python, f"{system.python}-venv", *LIBRARIES, *system.packages]
            ready = _made(Path(work, "ready"))
            for archive in _fetched(system, wanted, Path(work)):
                _run("dpkg", "-x", archive, ready)
            _link(ready)
            # Where pip is found for a new environment. qemu looks into the folder for most calls, and not for all.
            for settings in ready.glob("usr/lib/python3.*/_sysconfigdata_*.py"):
                settings.write_text(settings.read_text().replace("'/usr/share/", f"'{target}/usr/share/"))
            python = ready / "usr/bin/python3"
            python.unlink(missing_ok=True)
            # -0: what was started, a virtual environment's link for instance, is what Python takes itself to be.
            python.write_text(f'#!/bin/sh\nexec {program} -0 "$0" -L {target} {target}/usr/bin/{system.python} "$@"\n')
            python.chmod(0o755)
            ready.rename(target)
    return target


def _link(files: Path) -> None:
    """What an installation does besides: /lib is /usr/lib, and BLAS and LAPACK lie beside the other libraries."""
    if not (files / "lib").exists():
        (files / "lib").symlink_to("usr/lib")
    for library in files.glob("usr/lib/*/[bl]*a*/lib*.so.3"):
        (library.parents[1] / library.name).symlink_to(library.relative_to(library.parents[1]))


def _fetched(system: System, packages: list[str], work: Path) -> list[Path]:
    """The packages and all that they need, from the mirror that this computer's own apt uses."""
    sources, state, cache = work / "sources.list", _made(work / "state"), _made(work / "cache")
    sources.write_text(f"deb [signed-by={KEYS} arch={system.architecture}] {_mirror()} {system.suite} main\n")
    (state / "status").touch()
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": state,
        "Dir::State::Status": state / "status",
        "Dir::Cache": cache,
        "APT::Architecture": system.architecture,
        "APT::Architectures": system.architecture,
        "APT::Sandbox::User": "",  # only root could write as another user
        "Acquire::Retries": "3",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _run(*apt, "update")
    _run(*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages)
    return sorted((cache / "archives").glob("*.deb"))


def _mirror() -> str:
    """Where this computer gets its own Debian packages from."""
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages")
    for address, component in map(str.split, listed.splitlines()):
        if component == "main" and address.rstrip("/").endswith("/debian") and KEYS.exists():
            return address
    raise Unavailable("this computer's apt has no Debian mirror, or Debian's keys are missing")


def _apt_says(setting: str) -> str:
    return _run("apt-config", "--format", "%v%n", "dump", setting).splitlines()[0]


def _run(*command: str | Path) -> str:
    try:
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=True)
    except FileNotFoundError:
        raise Unavailable(f"there is no {command[0]} here") from None
    except subprocess.CalledProcessError as problem:
        lines = problem.stderr.strip().splitlines() or [f"status {problem.returncode}"]
        raise Unavailable(f"{command[0]} failed: {lines[-1]}") from None
    return ended.stdout


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    try:
        for each in SYSTEMS:
            root(each)
    except Unavailable as problem:
        sys.exit(f"the ARM emulator cannot be installed: {problem}")
