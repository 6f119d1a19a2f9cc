# Every target sets up what it needs on a machine with Python >= 3.11 and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
OUT    := reports/out
export TOKENIZERS_PARALLELISM := false

.PHONY: gate test check bench coverage adaptive selftest drill miniatures clean help

help:            ## Show the targets
	@grep -E '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("rlvr-gate needs Python >= 3.11, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]' --group dev
	@touch $@

gate: $(READY)   ## Gate the shipped pair: base,rlvr; reports in reports/out
	@mkdir -p $(OUT)
	$(BIN)/pytest suites/ --model-pair base,rlvr --checkpoint sft=sft --backend-option threads=1 \
	  --gate-report=$(OUT)/gate.html --gate-json=$(OUT)/gate.json --gate-summary=$(OUT)/gate.md $(ARGS)

test: $(READY)   ## Lint, types, import contracts and the plugin's own tests
	$(MAKE) --no-print-directory check
	$(BIN)/pytest tests $(ARGS)

check: $(READY)  ## Lint, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(READY) ## Simulation study of the intervals: the tables of docs/statistics.md
	$(BIN)/python benchmarks/coverage.py $(ARGS)

bench: $(READY)  ## Speed against named peers, as ratios in one run
	$(BIN)/python benchmarks/sampler.py $(ARGS)
	$(BIN)/python benchmarks/weights.py

adaptive: $(READY) ## Adaptive against a fixed number of samples on the shipped pair: tokens, verdicts
	$(BIN)/python benchmarks/adaptive.py $(ARGS)

selftest: $(READY) ## The gate about itself: false alarms of A/A runs, power on a known difference
	$(BIN)/python benchmarks/selftest.py $(ARGS)

drill: $(READY) ## Fault drill: break real runs at random moments, compare with an undisturbed one
	$(BIN)/python benchmarks/drill.py $(ARGS)

miniatures: $(READY) ## Retrain the shipped checkpoint family from scratch (about 40 minutes, 2 cores)
	PYTHONPATH=plugins:fixtures $(BIN)/python -m rlvr_gate_miniatures $(ARGS)

clean:           ## Remove the environment, the sample store and the reports
	rm -rf $(VENV) $(OUT) .rlvr-gate
