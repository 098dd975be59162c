"""Keras files that know what they are: ``.keras`` archives with one more member, ``edgecnn.json``.

Keras ignores the member. With it, one file is enough to export: labels, resize rule and training data travel with
the weights.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgecnn_export import damage
from edgecnn_export.placing import written
from edgecnn_runtime.contract import InputSpec, read_input, read_labels
from edgecnn_runtime.errors import ExportError, first_line

if TYPE_CHECKING:
    import keras

IN_RUN_FOLDER = "model.keras"
NAME = re.compile(r"\w[\w.-]*", re.ASCII)
"""Of a network: exported files are called after it."""

_MEMBER = "edgecnn.json"
_CONFIG = "config.json"
_UNKNOWN = re.compile(r"(?:Could not locate class|Unknown layer:|Could not deserialize) '(?:keras\.layers\.)?(.+?)'")

# Written by Keras 3.15, not known to Keras 3.12, the last for Python 3.10.
_NEW_OPTIONS = ("input_axes", "output_axes", "quantization_config")


@dataclass(frozen=True)
class About:
    """What a Keras model is.

    Attributes:
        name: name of the network.
        labels: class names, in the order of the outputs.
        input: how a picture becomes the input.
        training: data, recipe and measured accuracy, for people.
        author: who made it; empty where nobody said.
        license: under which it may be used; likewise.
    """

    name: str
    labels: tuple[str, ...]
    input: InputSpec
    training: dict[str, Any] = field(default_factory=dict)
    author: str = ""
    license: str = ""


def save(path: Path, model: keras.Model, about: About) -> None:
    """Write ``model`` and ``about`` to ``path``, which appears only when it is complete."""
    with written(path) as own:
        model.save(own)
        write(own, _members(own, about))


def convert(model: keras.Model, about: About) -> dict[str, bytes]:
    """The members, by their names, of a ``.keras`` archive of ``model`` and ``about``."""
    with TemporaryDirectory() as folder:
        saved = Path(folder, IN_RUN_FOLDER)
        model.save(saved)
        return _members(saved, about)


def write(path: Path, members: dict[str, bytes]) -> None:
    """Write an archive of these members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _members(saved: Path, about: About) -> dict[str, bytes]:
    with zipfile.ZipFile(saved) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    own = {_CONFIG: _portable(members[_CONFIG]), _MEMBER: json.dumps(asdict(about), indent=1).encode()}
    return members | own


def _portable(config: bytes) -> bytes:
    """The model's description without options that are not set: an older Keras does not know the newest of them."""

    def strip(layers: Any) -> Any:
        if isinstance(layers, list):
            return [strip(each) for each in layers]
        if isinstance(layers, dict):
            return {key: strip(value) for key, value in layers.items() if value is not None or key not in _NEW_OPTIONS}
        return layers

    return json.dumps(strip(json.loads(config))).encode()


def locate(path: Path) -> Path:
    """The Keras file meant by ``path``, which is that file or the folder of a training run."""
    return path / IN_RUN_FOLDER if path.is_dir() else path


def read_about(path: Path) -> About:
    """What the file at ``path`` says of itself; quick, the weights are not read.

    Raises:
        ExportError: it is missing, is not a Keras file, or was not written by edgecnn.
    """
    if path.suffix in (".tflite", ".onnx"):
        raise ExportError(f"{path} is an exported file; name the run or the .keras file that it was made from")
    if path.suffix in (".h5", ".hdf5") or (path / "saved_model.pb").exists():
        raise ExportError(f"{path} is not a .keras file; edgecnn import makes one of what others trained")
    try:
        with zipfile.ZipFile(path) as archive:
            data = _text_only(archive.read(_MEMBER))
        # Exported files are called after it, and a file from anywhere must not say into which folder they go.
        if not NAME.fullmatch(data["name"]):
            raise ExportError(
                f"{path} is called {data['name']!r}, which cannot be part of a file's name; train it again"
            )
        said = {key: str(data[key]) for key in ("author", "license") if key in data}
        training = dict(data["training"])
        return About(data["name"], read_labels(data["labels"]), read_input(data["input"]), training, **said)
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist; expected a .keras file or a run folder of edgecnn train") from None
    except (*damage.ARCHIVE, OSError) as problem:
        raise ExportError(f"{path} is not a .keras file, or a damaged one ({problem}); copy it again") from None
    except (KeyError, TypeError, ValueError):
        raise ExportError(f"{path} does not say what its labels are; edgecnn import makes a file that does") from None


def _text_only(member: bytes) -> Any:
    """What JSON says, without what cannot be written as text again: halves of characters, and no numbers."""
    said = json.loads(member, parse_constant=lambda _: None)
    return json.loads(json.dumps(said, ensure_ascii=False).encode(errors="replace"))


def load(path: Path) -> tuple[keras.Model, About]:
    """The model in float32 and what it says of itself.

    Raises:
        ExportError: see :func:`read_about`; or Keras cannot rebuild the model.
    """
    about = read_about(path)
    return rebuild(path, path), about


def rebuild(saved: Path, path: Path) -> keras.Model:
    """The model in a file of Keras's, whoever wrote it.

    Args:
        saved: the file, or a copy of it in words that this Keras knows.
        path: what the user calls it.

    Raises:
        ExportError: Keras cannot rebuild the model.
    """
    import keras

    try:
        return keras.saving.load_model(saved, compile=False, safe_mode=True)
    except damage.ARCHIVE as problem:
        raise ExportError(f"{path} is damaged ({problem}); copy it again") from None
    except (ValueError, TypeError, KeyError, OSError, AttributeError, IndexError) as problem:
        if unknown := _UNKNOWN.search(str(problem)):
            how = "build it of those" if saved.suffix == ".keras" else "build it of those, and save it as .keras"
            raise ExportError(f"{path} has the layer {unknown[1]}, which is none of Keras 3's own: {how}") from None
        raise ExportError(f"{path} cannot be loaded by Keras ({first_line(problem)})") from None
