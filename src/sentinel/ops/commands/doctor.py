"""`sentinel doctor`: what is wrong, in plain words; `sentinel doctor mail`: what is wrong with our mail."""

import json
import sys

import click

from sentinel.channels.email.doctor.examination import examine
from sentinel.channels.email.doctor.findings import Finding, Grade, worst
from sentinel.channels.email.doctor.names import is_address
from sentinel.channels.email.doctor.setup import sending_domain
from sentinel.channels.voice.base import CallPort, CheckedPort, HoldingPort
from sentinel.kernel import clock
from sentinel.ops import telephone
from sentinel.ops.checks import CHECKS, Verdict
from sentinel.ops.database import database_running
from sentinel.people.models import User
from sentinel.standing.services import keep_check_up

SIGNS = {Verdict.GOOD: ("ok  ", "green"), Verdict.DOUBTFUL: ("note", "yellow"), Verdict.BAD: ("BAD ", "red")}
GRADES = {
    Grade.GOOD: ("ok  ", "green"),
    Grade.NOTE: ("note", "yellow"),
    Grade.UNKNOWN: ("?   ", "cyan"),
    Grade.BAD: ("BAD ", "red"),
}
WHO = {"sip": "the exchange", "http_voice": "the voice service"}
WIDTH = 100
INDENT = " " * 6


@click.group("doctor", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Check settings, database, mail server, engine and clock.

    Ends with exit code 0 when nothing is bad, 1 otherwise (2 when the settings themselves cannot be
    read), so that a monitor can call it. Changes nothing.
    """
    if context.invoked_subcommand is not None:
        return
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


@command.command("mail")
@click.argument("domain", default="")
@click.option("--selector", "selectors", multiple=True, help="Name of a DKIM key to look at; several times.")
@click.option("--ip", "source_ips", multiple=True, help="Address our mail leaves from; several times.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings for programs.")
def mail(domain: str, selectors: tuple[str, ...], source_ips: tuple[str, ...], as_json: bool) -> None:
    """Check what mail systems see of DOMAIN: SPF, DKIM, DMARC, names, encryption, links, replies.

    Says what to change, with the record to publish. DOMAIN is the programme's own when left out. Sends
    nothing; the result is kept for the console. Exit code 1 when something is bad.
    """
    wrong = [ip for ip in source_ips if not is_address(ip)]
    if wrong:
        raise click.BadParameter(f"{wrong[0]} is no address", param_hint="--ip")
    with database_running():
        wanted = domain.strip().strip("@.").lower() or sending_domain()
        if "." not in wanted:
            raise click.UsageError("Name the domain mail comes from: sentinel doctor mail example.com")
        now = clock.now()
        try:
            findings = examine(wanted, now=now, selectors=selectors, source_ips=source_ips)
        except ValueError as error:  # a setting that only shows here: the name server, the key
            raise click.ClickException(str(error)) from error
        keep_check_up(domain=wanted, findings=[finding.as_dict() for finding in findings], now=now)
    if as_json:
        click.echo(json.dumps({"domain": wanted, "findings": [f.as_dict() for f in findings]}, indent=2))
    else:
        _tell(findings)
    sys.exit(1 if worst(findings) is Grade.BAD else 0)


@command.command("calls")
@click.option("--ring", "email", default="", help="Let the telephone of the user with this address ring.")
def calls(email: str) -> None:
    """Check who places calls: ask whether they are there, and let one telephone ring.

    With --ring only that user's own telephone rings, and it is hung up by itself. The test stands on the
    user's profile as if they had pressed the button there. Exit code 1 when the exchange or voice service
    does not answer, or the telephone was not answered.
    """
    port = telephone.port_of_process()
    if port is None:
        click.echo("Nobody places calls: people dial themselves (SENTINEL_CALLS_URL is not set).")
        return
    is_good = True
    if isinstance(port, CheckedPort):
        found = port.check()
        is_good, who = found.answers, WHO[port.provider]
        what = "says" if is_good else "is not there:"
        _say(is_good, f"{who} {what} {found.detail} after {found.milliseconds:.0f} ms")
    if is_good and email:
        is_good = _ring(email, port)
    elif isinstance(port, HoldingPort):
        port.close()
    sys.exit(0 if is_good else 1)


def _ring(email: str, port: CallPort) -> bool:
    was_answered: bool | None = False
    with database_running():
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise click.BadParameter(f"nobody has the address {email}", param_hint="--ring")
        for line, was_answered in telephone.ring(user, port):  # noqa: B007  # the last one counts
            click.echo(click.wrap_text(line, WIDTH, INDENT, INDENT))
    _say(bool(was_answered), "the telephone was answered" if was_answered else "the test call failed")
    return bool(was_answered)


def _say(is_good: bool, text: str) -> None:
    sign, colour = SIGNS[Verdict.GOOD if is_good else Verdict.BAD]
    click.echo(f"{click.style(sign, fg=colour)}  {text}")


def _tell(findings: list[Finding]) -> None:
    for finding in findings:
        sign, colour = GRADES[finding.grade]
        click.echo(f"{click.style(sign, fg=colour)}  {finding.title}")
        for line in finding.what_to_do.splitlines():
            # Records stand indented on lines of their own, to be copied as they are.
            is_record = line.startswith(" ")
            click.echo(f"{INDENT}{line}" if is_record else click.wrap_text(line, WIDTH, INDENT, INDENT))
