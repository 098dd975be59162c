"""``edgecnn train`` from outside: what it says, how it ends, and what it leaves alone."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn.cli import figures
from edgecnn.cli.main import run
from edgecnn.data import cifar10
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training import checkpoint
from edgecnn.training import train as training
from edgecnn.training.checkpoint import Progress
from edgecnn.training.learner import Learner
from edgecnn.training.plan import Plan
from edgecnn.training.progress import Reporter
from edgecnn.training.recipe import DEFAULT, DISTILLATION, LESSON, QAT, RECIPES, TRANSFER
from edgecnn.training.train import CHECKPOINT
from edgecnn_export.alone import alone
from edgecnn_export.dataset import Dataset

MODELS = Path(__file__).parents[3] / "models"

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def few(small: Dataset, watched: Dataset, monkeypatch: pytest.MonkeyPatch) -> Cifar10:
    """A hundred images of each kind, in the place of CIFAR-10."""
    data = Cifar10(*(part.subset(part.name, np.arange(0, len(part), len(part) // 100)) for part in (small, watched)))
    monkeypatch.setattr(cifar10, "load", lambda folder: data)
    return data


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The status, and the one line without its ``error: ``."""
    status = run(["train", *arguments])
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return status, line.removeprefix("error: ")


SIMILAR = "there are, for instance, lenet5, alexnet, mobilenet; `edgecnn models` lists them all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet"], f"no network is called 'lenet'; {SIMILAR}"),
        (
            ["baseline", "--recipe", "best"],
            "no recipe is called 'best', and there is no such file; "
            "there are: lesson, default, residual, deep-residual, edge, edge-cutout, transfer, qat",
        ),
        (["baseline", "--out", ""], "the value of --out is empty; a variable of the shell may not be set"),
        (["baseline", "--recipe="], "the value of --recipe is empty; a variable of the shell may not be set"),
        ([""], "an argument is empty; a variable of the shell may not be set"),
        (["baseline", "--epochs", "0"], "epochs must be at least 1, got 0"),
        (["baseline", "--batch-size", "0"], "batch_size must be at least 1, got 0"),
        (["baseline", "--lr", "-1"], "learning_rate must be a positive number, got -1.0"),
        (["baseline", "--lr", "nan"], "learning_rate must be a positive number, got nan"),
        (["baseline", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["baseline", "--seed", "4294967296"], "seed must be below 2**32, got 4294967296"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert error(capsys, *arguments) == (2, message)
    assert not list(here.iterdir())


def test_what_the_end_needs_is_there_before_the_beginning(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    assert error(capsys, "baseline") == (1, "train needs matplotlib; install it with: pip install matplotlib")
    assert not list(here.iterdir())


def test_a_folder_that_was_there_stays(here: Path, few: Cifar10, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine").mkdir()
    for out in ("mine", "new"):
        status, message = error(capsys, "baseline", "--devices", "2", "--out", out)
        assert (status, message.partition(":")[0]) == (2, "several devices or processes train under JAX")
    assert [each.name for each in here.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "more",
    [["--epochs", "20"], ["--lr", "0.1"], ["--seed", "0"], ["--full"], ["--mixed-precision"], ["--recipe", "default"]],
    ids=" ".join,
)
def test_a_resumed_run_keeps_its_recipe(more: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, message = error(capsys, "baseline", "--resume", *more)
    assert status == 2
    assert message == "--resume keeps the run's recipe: only --out, --data, --devices and --tensorboard go with it"
    assert not list(here.iterdir())


def test_the_help_names_every_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    (names,) = re.findall(r"How to train: ([^.]*)\.", said)
    assert sorted(re.split(", | or ", names)) == sorted(RECIPES)


def test_nothing_to_resume(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, message = error(capsys, "baseline", "--resume")
    assert (status, message.partition(";")[0]) == (1, "there is no unfinished run of baseline in runs/ to resume")
    status, message = error(capsys, "baseline", "--resume", "--out", "other")
    assert (status, message) == (1, f"other/{CHECKPOINT} does not exist: there is no run to resume there")
    assert not list(here.iterdir())


def test_another_networks_run(here: Path, few: Cifar10, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.save(here / CHECKPOINT, "deeper", LESSON, few.train, Progress(), [])
    status, message = error(capsys, "baseline", "--resume", "--out", ".")
    assert (status, message) == (2, ". is a run of deeper, not of baseline")


def test_a_run_is_never_overwritten(here: Path, few: Cifar10, capsys: pytest.CaptureFixture[str]) -> None:
    (here / CHECKPOINT).write_bytes(b"hours of work")
    status, message = error(capsys, "baseline", "--out", ".")
    assert (status, message) == (1, ". already holds a run; continue it with --resume or choose another --out")
    assert (here / CHECKPOINT).read_bytes() == b"hours of work"


def test_no_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, message = error(capsys, "baseline")
    assert status == 1
    assert message.startswith("CIFAR-10 is not in ")
    assert message.endswith("fetch it with: edgecnn data cifar10")
    assert [path.name for path in here.parent.rglob("*")] == ["here"]


def test_a_wrong_name_is_answered_before_anything_is_loaded() -> None:
    script = (
        "import sys; from edgecnn.cli.main import run; status = run(['train', 'lenet']);"
        "print(*{name.partition('.')[0] for name in sys.modules}); sys.exit(status)"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == f"error: no network is called 'lenet'; {SIMILAR}\n"
    assert not {"keras", "tensorflow", "jax", "matplotlib", "rich"} & set(ended.stdout.split())


@pytest.mark.usefixtures("keras")
def test_a_whole_run(here: Path, few: Cifar10, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "baseline", "--recipe", "lesson", "--epochs", "2", "--seed", "3", "--tensorboard"]) == 0
    device, watches, network, *epochs, accuracy, export = capsys.readouterr().out.splitlines()
    assert device.startswith("Keras ")
    assert "watches the test images" in watches
    assert network == (
        "baseline: 226,390 parameters; recipe lesson: 2 epochs of 100 images, batches of 32; in runs/baseline"
    )
    assert [line.split("  ")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    assert accuracy.startswith("test accuracy ")
    assert accuracy.endswith(" on 100 images")
    assert export == "saved runs/baseline/model.keras; export it with: edgecnn export runs/baseline --int8"
    folder = here / "runs" / "baseline"
    assert checkpoint.peek(folder / CHECKPOINT)[:2] == ("baseline", replace(LESSON, epochs=2, seed=3))
    assert {path.name for path in folder.iterdir()} >= {"model.keras", "metrics.json", "tensorboard"}

    # What was written is made again from the checkpoint alone.
    model = (folder / "metrics.json").read_text()
    for path in folder.iterdir():
        if path.name != CHECKPOINT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert run(["train", "baseline", "--resume"]) == 0
    assert (folder / "metrics.json").read_text() == model


@pytest.mark.usefixtures("keras", "few")
@pytest.mark.parametrize(
    ("arguments", "validation"), [([], "held-out"), (["--full"], "none"), (["--recipe", "lesson"], "test")], ids=str
)
def test_what_is_watched(arguments: list[str], validation: str, few: Cifar10, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def stop(network: Any, recipe: Any, data: Dataset, watched: Dataset | None, *_: Any, **__: Any) -> None:
        seen.update(recipe=recipe, data=data, watched=watched)
        raise KeyboardInterrupt

    held_out = (few.train.subset("learning", np.arange(90)), few.train.subset("validation", np.arange(90, 100)))
    monkeypatch.setattr(Cifar10, "split", lambda self: held_out)
    monkeypatch.setattr(training, "train", stop)
    assert run(["train", "baseline", *arguments]) == 130
    assert seen["recipe"].validation == validation
    expected = {"held-out": held_out, "none": (few.train, None), "test": (few.train, few.test)}
    assert (seen["data"], seen["watched"]) == expected[validation]


@pytest.mark.usefixtures("keras", "few")
def test_every_option_reaches_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def stop(network: Any, recipe: Any, *_: Any, **__: Any) -> None:
        seen.append(recipe)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stop)
    words = ["--epochs", "3", "--batch-size", "20", "--lr", "0.01", "--seed", "7", "--mixed-precision", "--full"]
    weights = ["--weights", str(MODELS / "baseline.keras"), "--teacher", "runs/wise"]
    assert run(["train", "baseline", *words, *weights, "--qat"]) == 130
    assert run(["train", "baseline", *words, *weights, "--unfreeze-after", "2"]) == 130
    asked: dict[str, Any] = {"epochs": 3, "batch_size": 20, "learning_rate": 0.01, "seed": 7, "mixed_precision": True}
    asked |= {"validation": "none", "teacher": "runs/wise", "distillation": DISTILLATION}
    asked |= {"weights": weights[1]}
    assert seen == [replace(QAT, **asked), replace(TRANSFER, **asked, frozen_epochs=2)]


@pytest.mark.usefixtures("keras")
def test_other_images_do_not_continue_a_run(
    here: Path, few: Cifar10, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "baseline", "--recipe", "lesson", "--epochs", "1", "--out", "run"]
    assert run(words) == 0
    before = {path: path.read_bytes() for path in (here / "run").iterdir()}
    capsys.readouterr()
    monkeypatch.setattr(cifar10, "load", lambda folder: Cifar10(few.test, few.train))
    assert run(["train", "baseline", "--resume", "--out", "run"]) == 1
    message = f"error: run learns from {few.train.name}, and {few.test.name} is not the same images; resume it with"
    assert capsys.readouterr().err.startswith(message)
    assert {path: path.read_bytes() for path in (here / "run").iterdir()} == before


@pytest.mark.usefixtures("keras")
def test_a_state_is_promised_only_when_there_is_one(
    here: Path, few: Cifar10, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stop)
    assert run(["train", "baseline"]) == 130
    assert "Stopped" not in capsys.readouterr().out
    assert not (here / "runs" / "baseline").exists(), "an empty folder is no run"
    (here / "runs" / "baseline").mkdir()
    checkpoint.save(here / "runs" / "baseline" / CHECKPOINT, "baseline", DEFAULT, few.train, Progress(), [])
    assert run(["train", "baseline", "--resume"]) == 130
    assert "edgecnn train baseline --out runs/baseline --resume" in capsys.readouterr().out


def test_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"epoch": 1.0, "loss": 1.23456, "accuracy": 0.5, "images_per_second": 12345.6}
    with Reporter(epochs=2, steps=10, batch_size=32) as reporter:
        reporter.step(0, 10, 10, 1.2, 0.5)
        reporter.epoch(row)
        reporter.epoch(row | {"epoch": 2.0, "validation_loss": 1.1, "validation_accuracy": 0.61})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1/2  loss 1.2346  accuracy 50.00%  12,346 images/s",
        "epoch 2/2  loss 1.2346  accuracy 50.00%  validation 61.00%  12,346 images/s",
    ]


@pytest.mark.parametrize("passing", [False, True])
def test_a_bar_that_passes_leaves_nothing_behind(
    passing: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with Reporter(1, 10, 32, passing) as reporter:
        reporter.step(0, 10, 10, 1.2, 0.5)
    erase_the_line_above = "\x1b[1A\x1b[2K"
    assert capsys.readouterr().out.endswith(erase_the_line_above) == passing


def test_a_training_that_diverges_is_no_success(few: Cifar10, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "lenet5", "--full", "--lr", "1e30", "--epochs", "3", "--batch-size", "8", "--out", "run"]) == 1
    out, err = capsys.readouterr()
    assert "saved" not in out
    assert err.splitlines()[-1].startswith("error: the training has diverged, its loss is no number in epoch ")
    assert err.endswith("; begin another run with a lower --lr\n")
    assert not Path("run/model.keras").exists()
    saved = [row["loss"] for each in Path("run").glob(CHECKPOINT) for row in checkpoint.peek(each)[2].history]
    assert all(map(math.isfinite, saved))


def test_a_training_that_diverges_leaves_its_last_good_state(
    few: Cifar10, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, step = Path("run", CHECKPOINT), Learner.run

    def diverging(learner: Learner, plan: Plan) -> tuple[float, float]:
        loss, correct = step(learner, plan)
        return (math.nan if saved.exists() else loss), correct

    monkeypatch.setattr(Learner, "run", diverging)
    assert run(["train", "lenet5", "--full", "--epochs", "3", "--out", "run"]) == 1
    assert "its loss is no number in epoch 2; " in capsys.readouterr().err
    progress = checkpoint.peek(saved)[2]
    assert [row["epoch"] for row in progress.history] == [progress.epoch] == [1]
    assert math.isfinite(progress.history[0]["loss"])
    with np.load(saved) as state:
        assert all(np.isfinite(state[name]).all() for name in state.files if name != "about")


@pytest.mark.parametrize("words", [["--full", "--epochs", "1"], ["--resume"]])
def test_one_process_at_a_time_trains_in_a_folder(
    words: list[str], few: Cifar10, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--resume" in words:
        assert run(["train", "lenet5", "--full", "--epochs", "1", "--out", "run"]) == 0
    Path("run").mkdir(exist_ok=True)
    capsys.readouterr()
    with alone(Path("run")):
        assert run(["train", "lenet5", "--out", "run", *words]) == 1
    message = "error: another process is at work in run; wait until it has ended, or choose another --out"
    assert capsys.readouterr().err.splitlines()[-1] == message
    assert Path("run").exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder that nobody can write in")
def test_a_folder_that_cannot_be_written_is_found_out_before_the_first_epoch(
    few: Cifar10, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "lenet5", "--out", "/proc/self"]) == 1
    out, err = capsys.readouterr()
    assert err == "error: /proc/self cannot be written (No such file or directory); choose another --out\n"
    assert "epoch 1" not in out


def test_a_batch_that_does_not_fit_into_the_memory(
    few: Cifar10, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ResourceExhaustedError(Exception):
        """As TensorFlow's, which a test cannot have without filling the memory."""

    def too_large(*_: object) -> None:
        raise ResourceExhaustedError("OOM when allocating tensor with shape[96,227,227,3]")

    monkeypatch.setattr(Learner, "run", too_large)
    assert run(["train", "lenet5", "--full", "--epochs", "1", "--batch-size", "96", "--out", "run"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: a batch of 96 images does not fit into the memory; begin another run with a smaller --batch-size"
    )
    assert not Path("run").exists()
