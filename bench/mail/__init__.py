"""How fast mail leaves, comes in, and leaves all else alone: real sockets, real PostgreSQL, one command.

    .venv/bin/python -m bench.mail              everything, about half an hour
    .venv/bin/python -m bench.mail --quick      everything, small, a few minutes
    .venv/bin/python -m bench.mail send kills   some parts

docs/reference/benchmarks.md says what each part measures and how to read the table.
"""
