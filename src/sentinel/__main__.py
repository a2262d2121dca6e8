"""`python -m sentinel` is the same as the `sentinel` command."""

from sentinel.ops.cli import main

main()
