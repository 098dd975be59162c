"""The devices that train one network together, by Keras's own distribution API: of this process, or of several."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import numpy as np

from edgecnn.training.memory import is_out_of_memory
from edgecnn_runtime.errors import TrainingError, UsageError, first_line
from edgecnn_runtime.quiet import quiet

# What keras.distribution.initialize reads.
_ADDRESSES, _PROCESSES, _PROCESS = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)

MEETING = 240
"""Seconds in which the processes of a run have to come."""


class Devices:
    """Each holds the whole network and computes its part of every batch; ``join`` before they are used.

    Attributes:
        process: number of this process, from 0.
        processes: how many there are.
        count: devices of all processes.
    """

    def __init__(self, each: int = 1, process: int = 0, processes: int = 1) -> None:
        """So many devices of each process."""
        self._each, self.process, self.processes = each, process, processes
        self.count = each * processes
        self._distribution: Any = None

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and prints."""
        return self.process == 0

    @property
    def told(self) -> str:
        """How many there are, for people; nothing of a single one."""
        if self.count == 1:
            return ""
        return f"; {self.count} devices" + (f" in {self.processes} processes" if self.processes > 1 else "")

    def divide(self, batch: int) -> None:
        """Refuse a batch that has not the same number of images for each device.

        Raises:
            UsageError: it has not.
        """
        if batch % self.count:
            nearest = max(self.count, batch - batch % self.count)
            raise UsageError(
                f"a batch of {batch} images cannot be divided among {self.count} devices; "
                f"take another number of devices, or for a new run --batch-size {nearest}"
            )

    def join(self, framework: str) -> None:
        """Meet the other processes and take the devices, before anything is computed.

        Raises:
            UsageError: the backend cannot, or there are not so many devices.
            TrainingError: the other processes do not come.
        """
        if self.count == 1:
            return
        if framework != "jax":
            raise UsageError("several devices or processes train under JAX: set KERAS_BACKEND=jax")
        if self.processes > 1:
            self._meet()
        import jax
        import keras

        here = [jax.local_devices(process)[: self._each] for process in range(self.processes)]
        for process, devices in enumerate(here):
            if len(devices) < self._each:
                there = f"in process {process} " if self.processes > 1 else ""
                kind = devices[0].platform
                remedy = f"XLA_FLAGS=--xla_force_host_platform_device_count={self._each} divides a CPU"
                raise UsageError(
                    f"--devices {self._each}, but JAX finds {len(devices)} {there}({kind.upper()}); "
                    + (remedy if kind == "cpu" else f"take --devices {len(devices)}")
                )
        names = [f"{device.platform}:{device.id}" for devices in here for device in devices]
        self._distribution = keras.distribution.DataParallel(devices=names)

    def layout(self, batch_axis: int | None = None) -> Any:
        """JAX's sharding of an array that is whole on each device, or divided along the axis of the batch.

        None where there is one device only.
        """
        if self._distribution is None:
            return None
        from keras.distribution import TensorLayout

        mesh, batch = self._distribution.device_mesh, self._distribution.batch_dim_name
        axes = () if batch_axis is None else (*[None] * batch_axis, batch)
        return TensorLayout(axes, mesh).backend_layout

    def place(self, array: Any, batch_axis: int | None = None) -> Any:
        """The array, of which every process has the same, on the devices in that layout."""
        if self._distribution is None:
            import jax

            return jax.device_put(array)
        from keras.distribution import distribute_tensor

        return distribute_tensor(np.asarray(array), self.layout(batch_axis))

    def agree(self, words: Iterable[str], arrays: Iterable[Any]) -> None:
        """Make sure that every process is about to train the same.

        Raises:
            TrainingError: some have other words or other arrays than the first.
        """
        if self.processes == 1:
            return
        digest = hashlib.sha256("\n".join(words).encode())
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        digests = self._gather(np.frombuffer(digest.digest(), np.uint8))
        if others := [process for process, each in enumerate(digests) if (each != digests[0]).any()]:
            self.leave()
            raise TrainingError(
                f"process {others[0]} would not train the same as process 0: "
                "start each with the same command line, images and weights"
            )

    def any(self, asked: bool) -> bool:
        """Whether any process is asked, told to all of them at the same step."""
        return asked if self.processes == 1 else bool(self._gather(np.array(asked)).any())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, the processes wait for each other.

        Raises:
            TrainingError: another one has ended.
        """
        try:
            yield
        except (RuntimeError, ValueError) as problem:  # JAX raises the one from GPUs and the other from CPUs
            if self.processes == 1 or is_out_of_memory(problem):
                raise
            raise TrainingError(
                f"process {self.process} of {self.processes} has lost another one ({first_line(problem)}); "
                "the last state that was saved is continued with --resume"
            ) from None

    def leave(self) -> None:
        """Part from the other processes, which do so at the same time; none then misses one that ends."""
        if self.processes > 1:
            import jax

            with quiet():
                jax.distributed.shutdown()

    def _gather(self, array: Any) -> Any:
        from jax.experimental.multihost_utils import process_allgather

        return process_allgather(array)

    def _meet(self) -> None:
        import keras

        problems: list[Exception] = []

        def initialize() -> None:
            try:
                keras.distribution.initialize()
            except Exception as problem:
                problems.append(problem)

        # It waits in compiled code, where Ctrl-C is not answered, and after five minutes takes the process down.
        waiting = Thread(target=initialize, daemon=True)
        waiting.start()
        waiting.join(MEETING)
        if problems or waiting.is_alive():
            reason = first_line(problems[0]) if problems else f"in {MEETING} seconds"
            raise TrainingError(
                f"process {self.process} has not met all {self.processes} ({reason}); "
                f"start them all, with the address of process 0 in {_ADDRESSES}"
            )


def asked(each: int) -> Devices:
    """``each`` devices of this process, and of the others that Keras's environment variables name.

    Raises:
        UsageError: the variables make no sense.
    """
    names = (_ADDRESSES, _PROCESSES, _PROCESS)
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if not given:
        return Devices(each)
    if missing := [name for name in names if name not in given]:
        raise UsageError(
            f"{' and '.join(missing)} must be set too: a run of several processes needs the three {_ADDRESSES[:19]}*"
        )
    try:
        process, processes = int(given[_PROCESS]), int(given[_PROCESSES])
    except ValueError:
        process, processes = -1, -1
    if not 0 <= process < processes:
        raise UsageError(
            f"{_PROCESS} must be a number from 0 and below {_PROCESSES}, got {given[_PROCESS]} of {given[_PROCESSES]}"
        )
    return Devices(each, process, processes)
