"""`sentinel doctor`: says in plain words what is wrong, if anything."""

import sys

import click

from sentinel.ops.checks import CHECKS, Verdict
from sentinel.ops.database import database_running

SIGNS = {Verdict.GOOD: ("ok  ", "green"), Verdict.DOUBTFUL: ("note", "yellow"), Verdict.BAD: ("BAD ", "red")}


@click.command("doctor")
def command() -> None:
    """Check settings, database, mail server, engine and clock.

    Ends with exit code 0 when nothing is bad, 1 otherwise (2 when the settings themselves cannot be
    read), so that a monitor can call it. Changes nothing.
    """
    verdicts = []
    with database_running():
        for name, check in CHECKS.items():
            verdict, text = check()
            sign, colour = SIGNS[verdict]
            click.echo(f"{click.style(sign, fg=colour)}  {name:9} {text}")
            verdicts.append(verdict)
            if name == "database" and verdict is Verdict.BAD:
                break  # everything below asks the database
    sys.exit(1 if Verdict.BAD in verdicts else 0)
