"""`python -m adapter.cli`, where the command is not installed."""

from adapter.cli import main

main()
