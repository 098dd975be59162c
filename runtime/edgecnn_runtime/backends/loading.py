"""What both kinds of backend do while they load: import a library and check a model's tensors."""

from __future__ import annotations

import importlib
from types import ModuleType

from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import BackendError, ModelFileError, first_line
from edgecnn_runtime.quiet import quiet
from edgecnn_runtime.signature import Signature


def import_library(module: str, extra: str) -> ModuleType:
    """Import an interpreter's module.

    Raises:
        BackendError: it is installed, but does not load.
    """
    try:
        with quiet():
            return importlib.import_module(module)
    except Exception as problem:  # a compiled module built for another numpy fails in many ways
        package = module.partition(".")[0]
        raise BackendError(
            f'{package} is installed but does not load ({first_line(problem)}); pip install "edgecnn[{extra}]"'
        ) from None


def check_one_of_each(inputs: int, outputs: int) -> None:
    """See that a model takes one tensor, the picture, and gives at least one.

    Raises:
        ModelFileError: it does not.
    """
    if inputs != 1 or not outputs:
        raise ModelFileError(
            f"the model has {inputs} inputs and {outputs} outputs, where a picture goes in and probabilities come out; "
            "export it again"
        )


def check_shapes(contract: Contract, signature: Signature) -> None:
    """Compare a model's own shapes with its contract.

    Raises:
        ModelFileError: they differ.
    """
    promised = [contract.input.height, contract.input.width, 3], [len(contract.labels)]
    actual = tuple(list(each.shape) for each in signature)
    if actual != promised:
        raise ModelFileError(
            f"the model's input and output {actual} are not those of its contract {promised}; export it again"
        )
