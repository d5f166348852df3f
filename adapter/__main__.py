"""`python -m adapter` is `responses-adapter`."""

from adapter.cli import main

main()
