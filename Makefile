# `make help` lists the targets. Each sets up for itself what it needs: a virtual environment in .venv, made with $(PYTHON).

PYTHON ?= python3
VENV ?= .venv
ARM ?= arm

# Written last, so that a half-made environment is never taken for a finished one.
READY := $(VENV)/.ready
OURS := .made-by-make
RUN := $(VENV)/bin/python -m
EDGECNN := $(VENV)/bin/edgecnn
# The other scripts there make a file, are a part of clients.py, need photographs (imagenet_*) or a package of their own
# (microcontroller.py), train for hours (ablation.py, accuracy.py), want runs that did (frontier.py), or a GPU
# (time_to_accuracy.py).
BENCHMARKS = $(filter-out $(addprefix benchmarks/,ablation% draw_% make_% bundle_% client_% accuracy% frontier% imagenet_% time_to% microcontroller%),$(wildcard benchmarks/*.py))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: demo/run/model.keras ## train, export, compare on 10,000 images, classify a picture and make a report, all in demo/
	rm -rf demo/models
	$(EDGECNN) export demo/run --int8 --precision fp32 --out demo/models
	$(EDGECNN) parity demo/run/model.keras demo/models/*.tflite demo/models/*.onnx
	for model in demo/models/*.tflite demo/models/*.onnx; do \
		echo "$$model"; $(EDGECNN) classify docs/pictures/frog.png --model "$$model" || exit 1; \
	done
	$(EDGECNN) report demo/run demo/models/*.tflite demo/models/*.onnx -o demo/report.html

demo/run/model.keras: | $(READY)
	$(EDGECNN) data cifar10
	$(EDGECNN) train baseline --out demo/run $$(test ! -e demo/run/checkpoint.npz || echo --resume)

.PHONY: test
test: $(READY) ## run the tests that need no data set and no network
	$(RUN) pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "not full and not arm"

.PHONY: test-full
test-full: $(READY) ## run every test, with the whole CIFAR-10 set
	$(EDGECNN) data cifar10
	$(RUN) pytest -m "not arm"

.PHONY: chromium
chromium: $(READY) ## install Debian's Chromium, in which the report is tested, if there is none (needs apt and root)
	@$(RUN) tests.edgecnn.report.browser || \
		{ apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends chromium; }

.PHONY: emulator
emulator: $(READY) ## fetch what stands for a Raspberry Pi: qemu-user and Debian for ARM (needs Debian's apt, not root)
	@echo "Fetching what is missing of the emulator and of Debian for ARM."
	$(RUN) tests.device.emulator

.PHONY: test-arm
test-arm: emulator ## install the wheel and run the tests on emulated Raspberry Pis; ARM="arm and not full" is quicker
	$(RUN) pytest tests/device -m "$(ARM)"

.PHONY: parity
parity: $(READY) ## compare every export with its Keras model on all 10,000 test images
	$(EDGECNN) data cifar10
	$(RUN) pytest tests/parity -m full

.PHONY: fuzz
fuzz: $(READY) ## give pictures, contracts and models 110,000 bad cases each
	$(RUN) tests.fuzz

.PHONY: lint
lint: $(READY) ## check style and format
	$(RUN) ruff check .
	$(RUN) ruff format --check .

.PHONY: types
types: $(READY) ## check the type annotations
	$(RUN) mypy

.PHONY: bench
bench: $(READY) ## run every benchmark
	$(EDGECNN) data cifar10
	for benchmark in $(BENCHMARKS); do echo "$$benchmark"; $(VENV)/bin/python "$$benchmark" || exit 1; done

.PHONY: build
build: $(READY) ## build the wheel and the source archive into dist/
	rm -rf dist
	$(RUN) build --no-isolation

.PHONY: clean
clean: ## remove what make made, but for .venv and the cached data
	rm -rf demo dist build fuzz-* .hypothesis .pytest_cache .mypy_cache .ruff_cache

# Made from nothing, unless a finished one is only out of date. Its build tools are installed first, so that
# constraints.txt holds for them too.
$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV); the first time it takes some minutes."
	@test -e $@ || test -e $(VENV)/$(OURS) || test ! -e $(VENV) || \
		{ echo "error: $(VENV) was made by somebody else; remove it, or name another place: make VENV=..." >&2; exit 1; }
	@test -e $@ || { rm -rf $(VENV) && mkdir -p $(VENV) && touch $(VENV)/$(OURS) && $(PYTHON) -m venv $(VENV); }
	@rm -f $@
	$(RUN) pip install --quiet -c constraints.txt hatchling editables
	$(RUN) pip install --quiet -c constraints.txt --no-build-isolation -e ".[dev]"
	@touch $@
