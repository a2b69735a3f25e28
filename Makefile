# Two commands do everything on a fresh machine: make demo, make test.
# They need Python 3.11 or newer; what else they need they install into .venv, or say.

PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PYXFORM3 := .venv-pyxform3

.PHONY: demo test lint bench catalogues classes setup java chromium clean

demo: setup
	$(BIN)/kobosmix demo demo

test: setup java chromium $(PYXFORM3)/ready
	KOBOSMIX_PYXFORM3_PYTHON=$(PYXFORM3)/bin/python $(BIN)/python -m pytest -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .ci/licences.py

bench: setup
	$(BIN)/python bench/start.py
	$(BIN)/python bench/build.py
	$(BIN)/python bench/validate.py
	PYTHONPATH=. $(BIN)/python bench/pull.py

setup: .venv/ready

.venv/ready: constraints.txt pyproject.toml
ifeq ($(PYTHON),)
	@echo "kobosmix needs Python 3.11 or newer with its venv module."
	@echo "Debian, Ubuntu: apt-get install python3-venv.  Others: https://www.python.org/downloads/"
	@exit 1
endif
	@echo "Setting up .venv with $(PYTHON) (once; about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch .venv/ready

# KoboToolbox itself runs pyxform 3.0.0; the forms are converted with it too.
$(PYXFORM3)/ready: .venv/ready
	@$(PYTHON) -m venv --clear $(PYXFORM3)
	@$(PYXFORM3)/bin/python -m pip install --quiet --disable-pip-version-check pyxform==3.0.0
	@touch $(PYXFORM3)/ready

# ODK Validate, the form engine of the phones, needs a Java runtime.
java:
	@command -v java >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "Installing a Java runtime for ODK Validate"; \
			(apt-get update && apt-get install --yes --no-install-recommends default-jre-headless) >/dev/null 2>&1 || \
			echo "No Java runtime could be installed: tests of ODK Validate are skipped."; \
		else \
			echo "No Java runtime: tests of ODK Validate are skipped. Install a JRE, 17 or newer, to run them."; \
		fi; }

# The forms are also filled in in a browser, with the web forms of ODK and of KoboToolbox.
chromium:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "Installing Chromium for the tests of the web forms"; \
			(apt-get update && apt-get install --yes --no-install-recommends chromium) >/dev/null 2>&1 || \
			echo "No Chromium could be installed: tests of the web forms are skipped."; \
		else \
			echo "No Chromium: tests of the web forms are skipped. Install Chromium or Chrome to run them."; \
		fi; }

clean:
	rm -rf .venv $(PYXFORM3) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# After the English of the bank has changed.
catalogues: setup
	$(BIN)/python -m kobosmix.wording.refresh

# After the Java in kobosmix/engines/java has changed. Needs a Java development kit.
classes: setup
	KOBOSMIX_UPDATE_CLASSES=1 $(BIN)/python -m pytest -q tests/test_java_classes.py
