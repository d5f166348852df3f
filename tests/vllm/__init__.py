"""The adapter with a real vLLM, in it and before it. Only `make test-vllm` runs this: see `run.sh`."""
