"""What is printed: one line per measurement, and whether it came to what was promised."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.mail.meter import Cost


def say(text: str = "") -> None:
    print(text, flush=True)


@dataclass
class Verdicts:
    """Targets and what came of them, in the order in which they were measured."""

    lines: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def judge(self, what: str, measured: str, target: str, is_met: bool) -> None:
        self.lines.append((what, measured, target, is_met))
        say(f"    {'met   ' if is_met else 'MISSED'}  {what}: {measured} (target {target})")

    @property
    def are_all_met(self) -> bool:
        return all(line[3] for line in self.lines)

    def show(self) -> None:
        if not self.lines:
            return
        say()
        width = max(len(line[0]) for line in self.lines)
        for what, measured, target, is_met in self.lines:
            say(f"{'met   ' if is_met else 'MISSED'}  {what:{width}}  {measured:>22}   target {target}")


HEADINGS = f"{'':34} {'mails':>9} {'seconds':>8} {'per s':>8}  {'CPU-s per 1,000':30} largest memory, MB"


def headings() -> None:
    say(HEADINGS)


def row(what: str, mails: int, cost: Cost) -> float:
    """Print one measurement; returns mails per second."""
    rate = mails / cost.seconds if cost.seconds else 0.0
    cpu = "  ".join(f"{name} {cost.per_thousand(name, mails):.3f}" for name in cost.cpu)
    memory = "  ".join(f"{name} {value:.0f}" for name, value in cost.megabytes.items() if name != "postgres")
    say(f"{what:34} {mails:9,} {cost.seconds:8.2f} {rate:8,.0f}  {cpu:30} {memory}")
    return rate
