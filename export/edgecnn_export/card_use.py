"""The part of a model card for its user: how the file is used, what it is not for, how its proof is repeated."""

from __future__ import annotations

from collections.abc import Iterator

from edgecnn_export.markdown import code, shell, text
from edgecnn_runtime.contract import Contract

RUNS_HERE = ("tflite", "onnx")
"""Formats that edgecnn's own runtime runs."""

_DATA = {
    "cifar10/": "CIFAR-10: 60,000 colour pictures from the web in ten classes, each of 32 x 32 pixels with one object "
    "that fills it (Krizhevsky, 2009); a set for teaching and research",
    "ImageNet (ILSVRC 2012)": "ImageNet (ILSVRC 2012): 1.28 million photographs from the web in 1,000 classes, with "
    "people in many of them who were not asked (Russakovsky et al., 2015); for research",
}
"""What is known of a data set, by how its name begins."""


def file_name(contract: Contract) -> str:
    """The name under which export writes the file."""
    return f"{contract.model}-{contract.precision}.{contract.format}"


def about_data(contract: Contract) -> str:
    """What the training data is, in a sentence."""
    name = str(contract.training.get("training_data", ""))
    for begins, words in _DATA.items():
        if name.startswith(begins):
            return f"{words}."
    return "What the pictures show, and who took them, the file does not say: ask the author."


def limits(contract: Contract) -> Iterator[str]:
    """What it is for, what it is not for, and what is not known of it."""
    data = text(contract.parity.get("data", "no images"))
    yield (
        f"For: telling the {len(contract.labels):,} labels apart in pictures like those it was trained on, on a small "
        "device, where a wrong answer does little harm"
    )
    yield (
        "Not for: decisions about people, medical or safety matters, or anything where one wrong answer does harm. "
        "It was not tested for fairness between groups of people, nor against pictures made to mislead it"
    )
    yield (
        "It gives every picture one of its labels, also a picture of something else, often with a high probability: "
        "that is no measure of being right"
    )
    if contract.parity.get("reference_accuracy") is None:
        yield (
            f"Its accuracy is not known: it was compared on pictures without labels ({data}). Measure it on labelled "
            "pictures of your own before you rely on it"
        )
    else:
        yield (
            f"Its accuracy is that on {data} only. Other cameras, light, places or angles give another one, usually a "
            "lower one"
        )
    if contract.format in RUNS_HERE:
        yield "Measure it on your own pictures, one folder a class: `edgecnn evaluate FILE --data photos/`"


def usage(contract: Contract) -> str:
    """Commands and Python, ready to copy."""
    name, python = shell(file_name(contract)), repr(file_name(contract))
    if contract.format in RUNS_HERE:
        extra = "onnx" if contract.format == "onnx" else "litert"
        command = code("sh", f'pip install "edgecnn[{extra}]"', f"edgecnn classify cam.jpg --model {name}")
        lines = (
            "from edgecnn_runtime import Classifier",
            "",
            f"classifier = Classifier.open({python})",
            'print(classifier.classify("cam.jpg", top=3))',
        )
        return f"{command}\n\n{code('python', *lines)}"
    if contract.format == "savedmodel":
        load = ("import tensorflow as tf", "", f"model = tf.saved_model.load({python})")
        call = 'model.signatures["serving_default"](pixels=tf.constant(images))["probabilities"]'
    else:
        load, call = ("import keras", "", f"model = keras.saving.load_model({python})"), "model.predict(images)"
    height, width = contract.input.height, contract.input.width
    kind = f"uint8, shape (N, {height}, {width}, 3), RGB pixels 0..255"
    return code("python", *load, f"probabilities = {call}  # images: {kind}")


def proof(contract: Contract) -> str:
    """How anybody checks that the file gives the answers that were seen at export."""
    if contract.golden is None:
        return "The file carries no pictures with their answers: there is nothing to repeat."
    carried = (
        f"The file carries {contract.golden.count} of the pictures that it was compared on, with the answers of "
        f"{text(', '.join(('Keras', *contract.golden.exported)))}."
    )
    if contract.format not in RUNS_HERE:
        return f"{carried} They are in its contract, a JSON document in it."
    commands = code("sh", f"edgecnn verify {shell(file_name(contract))}")
    return f"{carried} On any machine, this compares the answers there with them:\n\n{commands}"
