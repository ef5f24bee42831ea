# make demo    two pictures in out/
# make test    all tests; those of drawn examples draw the same ones at every run
# make fuzz    those tests with many examples, drawn anew at every run; ten minutes or more
# make check   ruff and mypy
# make bench   the benchmarks
# make clean   remove what was made, except the virtual environment
PYTHON ?= python3
VENV := .venv
LINKS := $(VENV)/links/isofield
INSTALL := $(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e

.PHONY: demo test fuzz check bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	mkdir -p out
	$(VENV)/bin/isofield render carved_box --output out/carved_box.png
	$(VENV)/bin/isofield render toy --output out/toy.png
	@echo "The pictures: out/carved_box.png and out/toy.png"

test: $(VENV)/installed
	$(VENV)/bin/pytest

# hypothesis keeps what fails in .hypothesis/ and tries it first next time. No test is stopped for its time.
fuzz: $(VENV)/installed
	$(VENV)/bin/pytest -m hypothesis --hypothesis-profile=fuzz --timeout=0

# mypy wants the packages under one parent, by the names they are imported by.
check: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	rm -rf $(LINKS)
	mkdir -p $(LINKS)
	ln -s ../../../api/__init__.py ../../../api/py.typed ../../../engine ../../../kernels ../../../scenes $(LINKS)
	$(VENV)/bin/mypy

bench: $(VENV)/installed-bench
	$(VENV)/bin/python benchmarks/run.py

# A stale build/ or *.egg-info confuses an editable install.
$(VENV)/installed: pyproject.toml constraints.txt
	$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	rm -rf build *.egg-info
	$(INSTALL) '.[dev,plots,video]'
	touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(INSTALL) '.[bench]'
	touch $@

clean:
	rm -rf build dist *.egg-info out .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f $(VENV)/installed $(VENV)/installed-bench
	find . -path './$(VENV)' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
