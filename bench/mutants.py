"""Seed a fault against each guarantee and watch its tests die.

    .venv/bin/python bench/mutants.py [NAME ...]

Copies the checkout's ``src`` and ``tests`` to a temporary folder, changes one place there, runs the tests
that should notice, and reports. Exits with 1 when a mutant survives (a guarantee without a test) or
when a place to change is no longer found (this file is out of date).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
GUARANTEES = "tests/stories/test_guarantees.py"
TOGETHER = "tests/stories/test_firing_together.py"


@dataclass(frozen=True)
class Mutant:
    """``old`` becomes ``new`` in ``file``; ``tests`` must then fail."""

    name: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "L1-trigger",
        "the database no longer refuses an open problem without a duty",
        "src/sentinel/escalation/migrations/0002_one_duty.py",
        "IF problem_state NOT IN ('confirmed', 'ended') AND NOT has_duty THEN",
        "IF FALSE THEN",
        (f"{GUARANTEES}::test_l1_the_database_refuses_an_open_problem_without_a_duty",),
    ),
    Mutant(
        "L1-branch",
        "reaching the worker by telephone sets no next duty",
        "src/sentinel/workflows/log_call.py",
        "    return owe_promise(problem, accountable=accountable, now=now)",
        "    return duty",
        (f"{GUARANTEES}::test_l1_every_act_leaves_an_open_problem_with_one_duty_and_a_closed_one_with_none",),
    ),
    Mutant(
        "L2-two-transactions",
        "the owner is told after the frown has been committed",
        "src/sentinel/workflows/open_problem.py",
        "        _tell_first(problem, first=policy.rungs[0], duty=duty, note=note, people=people, now=now)\n",
        "        transaction.on_commit(\n"
        "            lambda: _tell_first(\n"
        "                problem, first=policy.rungs[0], duty=duty, note=note, people=people, now=now))\n",
        (f"{GUARANTEES}::test_l2_a_frown_has_everything_at_once",),
    ),
    Mutant(
        "L2-no-transaction",
        "the frown is written piece by piece",
        "src/sentinel/workflows/record_response.py",
        "    with transaction.atomic():\n        check_in = lock_check_in(check_in_id)",
        "    if True:\n        check_in = lock_check_in(check_in_id)",
        (GUARANTEES, "-k", "l2"),
    ),
    Mutant(
        "L3-early-commit",
        "a firing is not one transaction",
        "src/sentinel/workflows/fire_duty.py",
        "    with transaction.atomic():\n        problem = (\n"
        '            Problem.objects.select_for_update(of=("self",))\n',
        "    with transaction.atomic():\n        Duty.objects.filter(problem_id=problem_id).update(rung=9)\n"
        "    with transaction.atomic():\n        problem = (\n"
        '            Problem.objects.select_for_update(of=("self",))\n',
        (GUARANTEES, "-k", "l3"),
    ),
    Mutant(
        "L3-batch-early-commit",
        "the timers of a batch commit before its messages",
        "src/sentinel/workflows/fire_due_duties.py",
        "        _save(written, now)\n",
        "    with transaction.atomic():\n        save_climbs([one.step.case.duty for one in written])\n"
        "    with transaction.atomic():\n        _save(written, now)\n",
        (TOGETHER, "-k", "l3"),
    ),
    Mutant(
        "L3-batch-looks-once",
        "a batch does not look again whether its duties are still due",
        "src/sentinel/workflows/fire_due_duties.py",
        "        and is_due(problem, duties[problem.pk], now)\n",
        "",
        (TOGETHER, "-k", "stop_condition"),
    ),
    Mutant(
        "L3-skip-rung",
        "a firing skips a rung",
        "src/sentinel/escalation/rules.py",
        "    return next(rung for rung in policy.rungs if rung.position > position), 0",
        "    return next(rung for rung in policy.rungs if rung.position > min(position + 1, 3)), 0",
        ("tests/stories/test_nobody_reacts.py", "tests/unit/escalation"),
    ),
    Mutant(
        "L4-last-step",
        "the top of the ladder does not repeat",
        "src/sentinel/escalation/rules.py",
        "next_at = days_after(step_rung).add_days(at, 1)",
        "next_at = days_after(step_rung).add_days(at, 500)",
        (f"{GUARANTEES}", "-k", "l4"),
    ),
    Mutant(
        "L4-asks-end",
        "a silent worker is not asked any more",
        "src/sentinel/escalation/rules.py",
        "policy.ask_on_after_days if asks > len(days) else 1",
        "9999 if asks > len(days) else 1",
        (f"{GUARANTEES}", "-k", "l4"),
    ),
    Mutant(
        "L5-acknowledge-stops",
        "acknowledging stops the ladder for good",
        "src/sentinel/escalation/services.py",
        "None if kind is DutyKind.ASK else due_at",
        "None if kind in (DutyKind.ASK, DutyKind.CALL) else due_at",
        (GUARANTEES, "-k", "l5"),
    ),
    Mutant(
        "L6-trigger",
        "the database lets anybody close",
        "src/sentinel/problems/migrations/0002_only_the_worker_closes.py",
        "IF NEW.state = 'confirmed' AND NOT EXISTS (",
        "IF FALSE AND NOT EXISTS (",
        (GUARANTEES, "-k", "l6"),
    ),
    Mutant(
        "L6-robot-confirms",
        "a press without human evidence confirms",
        "src/sentinel/workflows/record_verdict.py",
        "    if not human:\n        raise HumanEvidenceMissing\n",
        "",
        (GUARANTEES, "-k", "l6"),
    ),
    Mutant(
        "L6-no-call-needed",
        "a user records a yes without a call that reached the worker",
        "src/sentinel/workflows/telephone_verdict.py",
        "    if call is None or call.outcome != CallOutcome.REACHED.value:",
        "    if call is None:",
        (GUARANTEES, "-k", "l6"),
    ),
    Mutant(
        "L7-get-writes",
        "opening the link of a face records the answer",
        "src/sentinel/respond/answer.py",
        "        _journal(request, opened, face)\n",
        "        record_response(check_in_id=opened.subject.pk, answer=Answer(face=Face(face)),\n"
        "                        signals=Signals(trusted_event=True), now=opened.now)\n",
        ("tests/web/respond", "-m", "not e2e"),
    ),
    Mutant(
        "L7-anything-verifies",
        "a bare press counts as a human's",
        "src/sentinel/checkins/rules/evidence.py",
        'return Verdict(evidence=Evidence.ROBOT, reasons=("no evidence",), offer_plain_step=True)',
        'return Verdict(evidence=Evidence.VERIFIED, reasons=("no evidence",), offer_plain_step=False)',
        (GUARANTEES, "-k", "l7"),
    ),
    Mutant(
        "L8-mark-before-send",
        "a message is marked accepted before it is sent",
        "src/sentinel/engine/passes/dispatch.py",
        "            yield message\n\n",
        "            settle(claimed=message, result=Result.ACCEPTED, now=self._clock())\n"
        "            yield message\n\n",
        ("tests/stories/test_kill.py", "tests/services/outbox", GUARANTEES, "-k", "kill or l8 or mark"),
    ),
    Mutant(
        "L8-no-fence",
        "somebody who lost the lease may still settle",
        "src/sentinel/outbox/leases.py",
        "    WHERE id = %(id)s AND lease_token = %(token)s AND state = 'sending'\n    RETURNING",
        "    WHERE id = %(id)s AND state = 'sending'\n    RETURNING",
        ("tests/services/outbox",),
    ),
    Mutant(
        "L8-no-fence-together",
        "of several settled together, one whose lease was lost is written all the same",
        "src/sentinel/outbox/leases.py",
        "    WHERE message.id = taken.id AND message.lease_token = taken.token\n    RETURNING",
        "    WHERE message.id = taken.id\n    RETURNING",
        ("tests/services/outbox",),
    ),
    Mutant(
        "L9-wall-time",
        "due times ignore working hours",
        "src/sentinel/escalation/rules.py",
        "    return hours.add(now, scaled(policy.acknowledge_within, heat))",
        "    return now + scaled(policy.acknowledge_within, heat)",
        (GUARANTEES, "-k", "l9"),
    ),
    Mutant(
        "L9-callers-hours-only",
        "calls ignore the worker's working hours",
        "src/sentinel/escalation/selectors.py",
        "    return Both(ours, theirs) if kind is DutyKind.CALL else ours\n",
        "    return ours\n",
        (GUARANTEES, "-k", "l9"),
    ),
    Mutant(
        "L10-live-policy",
        "the ladder as edited now governs running loops",
        "src/sentinel/escalation/selectors.py",
        '    frozen = FrozenPolicy.objects.prefetch_related("rungs").get(problem=problem)\n',
        "    return policy_of_ladder(ladder_for(problem.account))\n"
        '    frozen = FrozenPolicy.objects.prefetch_related("rungs").get(problem=problem)\n',
        (GUARANTEES, "-k", "l10"),
    ),
)


def run(mutant: Mutant, tree: Path) -> tuple[bool, str]:
    """Whether the tests noticed, and their last line."""
    path = tree / mutant.file
    original = path.read_text(encoding="utf-8")
    if original.count(mutant.old) != 1:
        return False, f"found {original.count(mutant.old)} places to change in {mutant.file}"
    path.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", "-q", "-x", "--no-header", "--tb=no", *mutant.tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{tree / 'src'}:{tree}"},
            capture_output=True,
            text=True,
            timeout=600,
        )
    finally:
        path.write_text(original, encoding="utf-8")
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    last = lines[-1] if lines else done.stderr.strip()[-200:]
    # An error is not a failure: a mutant that does not even start proves nothing.
    return done.returncode == 1 and " failed" in last, last


def main() -> int:
    """Run all mutants, or the named ones."""
    wanted = [m for m in MUTANTS if not sys.argv[1:] or m.name in sys.argv[1:]]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        tree.chmod(0o755)
        for name in ("src", "tests", "pyproject.toml"):
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        for mutant in wanted:
            started = time.monotonic()
            is_killed, last = run(mutant, tree)
            survivors += not is_killed
            verdict = "killed  " if is_killed else "SURVIVED"
            print(
                f"{verdict} {mutant.name:22} {mutant.what} ({time.monotonic() - started:.0f} s: {last})",
                flush=True,
            )
    print(f"{len(wanted) - survivors} of {len(wanted)} mutants killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
