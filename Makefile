# Each target makes the environment it needs (.venv, from python_env.yaml) and makes it once.
#   make train P="epochs=20 dataset=20newsgroups"   one word an option; a value with a space needs the command newsclf
#   make test PYTHON=/path/to/python3.12            the Python that .venv is made with
PYTHON ?= python3.11 python3.12 python3 python
VENV := .venv
TORCHTEXT := .venv-torchtext
SWIFT := .venv-stack
PINS := $(VENV)/.installed
INSTALLED := $(VENV)/.installed-newsclf
DEV := $(VENV)/.installed-dev

.PHONY: help ui test test-quick lint format configs lock clean-cache benchmark check-torchtext stack stack-native stack-down backup restore

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1@/p' entrypoints/verbs.mk Makefile | awk -F@ '{printf "make %-16s %s\n", $$1, $$2}'

# `mlflow run` and the tests start `python` and `mlflow` by name.
in_venv := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# $(value P), and quotes, so that neither make nor the shell reads anything into a $, a * or an & of a value.
options = $(foreach word,$(value P),'$(subst ','\'',$(word))')

# Every verb is a target: make train P="epochs=20 dataset=ag_news", make train P=--help.
include entrypoints/verbs.mk
.PHONY: $(VERBS)
$(VERBS): $(INSTALLED)
	@$(VENV)/bin/python -m newsclf $@ $(options)

ui: $(INSTALLED)  ## open the table of runs, of this folder or of $MLFLOW_TRACKING_URI; PORT=5000
	@$(VENV)/bin/python -m newsclf.tracking.ui $(PORT)

pytest := $(in_venv) OMP_NUM_THREADS=1 python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test: lint  ## the linters, then every test
	@$(pytest)

test-quick: lint  ## the linters, then the tests that start no server and no `mlflow run`
	@$(pytest) -m "not integration"

lint: $(DEV)  ## ruff and mypy
	@$(in_venv) ruff check .
	@$(in_venv) ruff format --check .
	@$(in_venv) mypy

format: $(DEV)  ## let ruff put the code in order
	@$(in_venv) ruff check --fix .
	@$(in_venv) ruff format .

configs: $(INSTALLED)  ## write configs/, MLproject, the doors and the targets of the verbs anew, after a change of newsclf/config/ or of VERBS
	@$(VENV)/bin/python -m tools.configs

stack:  ## start the tracking backend (Docker): database, object store, MLflow, TLS and login; docs/backend.md
	@infra/up.sh

stack-down:  ## stop it; its data stays
	@cd infra && docker compose --profile '*' down

backup:  ## copy all of its data into TO=backups, while it runs
	@infra/backup.sh $(if $(TO),'$(TO)')

restore:  ## bring an empty backend to the state of a backup: FROM=backups/<time>; FORCE=1 replaces what is there
	@infra/restore.sh $(if $(FROM),'$(FROM)') $(if $(FORCE),--force)

clean-cache: $(INSTALLED)  ## empty the cache of frozen layers
	@$(in_venv) python -m newsclf.model.cache

benchmark: $(INSTALLED)  ## measure speed and quality (long)
	@$(in_venv) python -m benchmarks

check-torchtext: $(TORCHTEXT)/.installed  ## prove that torchtext and our own reader give the same AG News rows
	@$(TORCHTEXT)/bin/python -m tools.check_torchtext

stack-native: $(DEV) $(SWIFT)/.installed  ## the stack of infra/ without Docker, until Ctrl-C; FOLDER=where it keeps its state
	@$(in_venv) python -m tests.stack $(FOLDER)

# Environments: the stamp is made last, so an interrupted install is taken up again by the next call.

right_python := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
# Candidates are run, not only looked for: pyenv puts shims on the PATH for versions that are not there.
define make_venv
@$(1)/bin/python -c '$(right_python)' >/dev/null 2>&1 && $(1)/bin/python -m pip --version >/dev/null 2>&1 && exit; \
for python in $(PYTHON); do \
  "$$python" -c '$(right_python)' >/dev/null 2>&1 && exec "$$python" -m venv --clear $(1); \
done; \
echo "newsclf needs Python 3.11 or 3.12 with its venv module (on Debian and Ubuntu: apt install python3-venv)," \
  "which none of these is: $(PYTHON); name yours with PYTHON=/path/to/python." >&2; \
exit 1
endef

# A `- name==version` line of python_env.yaml as a line for pip.
pin := s/^ *- \([A-Za-z0-9._-]*==[^ ]*\).*/\1/p
# A list of requirements in pyproject.toml: pip reads an extra only along with the package itself.
listed = python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))$(1), sep="\n")'

$(PINS): python_env.yaml
	$(call make_venv,$(VENV))
	@sed -n '$(pin)' python_env.yaml > $(VENV)/requirements.txt
	$(VENV)/bin/python -m pip install -r $(VENV)/requirements.txt
	@touch $@

# The command newsclf, and `import newsclf` from any folder: this folder itself, built by the pinned setuptools.
$(INSTALLED): $(PINS) pyproject.toml
	$(VENV)/bin/python -m pip install --no-deps --no-index --no-build-isolation -e .
	@touch $@

$(DEV): $(INSTALLED) pyproject.toml
	@$(VENV)/bin/$(call listed,["project"]["optional-dependencies"]["dev"]) > $(VENV)/dev.txt
	$(VENV)/bin/python -m pip install -r $(VENV)/requirements.txt -r $(VENV)/dev.txt
	@touch $@

$(TORCHTEXT)/.installed: pyproject.toml
	$(call make_venv,$(TORCHTEXT))
	@echo '*' > $(TORCHTEXT)/.gitignore
	@$(TORCHTEXT)/bin/$(call listed,["dependency-groups"]["torchtext"]) > $(TORCHTEXT)/requirements.txt
	$(TORCHTEXT)/bin/python -m pip install -r $(TORCHTEXT)/requirements.txt
	@touch $@

$(SWIFT)/.installed: tests/stack/swift.txt
	$(call make_venv,$(SWIFT))
	@echo '*' > $(SWIFT)/.gitignore
	$(SWIFT)/bin/python -m pip install -r tests/stack/swift.txt
	@touch $@

lock:  ## pin whatever the direct pins of python_env.yaml need; for after a change of those
	$(call make_venv,$(VENV))
	@sed -n '/^dependencies:/,/# What they pull in/{$(pin);}' python_env.yaml > $(VENV)/direct.txt
	@sed '/# What they pull in/q' infra/mlflow/requirements.txt > $(VENV)/server.txt
	$(VENV)/bin/python -m pip install -r $(VENV)/direct.txt -r $(VENV)/server.txt
	@$(VENV)/bin/python -m tools.lock
