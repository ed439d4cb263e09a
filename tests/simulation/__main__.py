"""Plays schedules: one in full with ``--seed``, many with ``--schedules``, and says what they
covered.
"""

import argparse
import sys
import time
from collections import Counter

from .bugs import BUGS
from .hunting import hunt
from .schedule import play


def main() -> int:
    """Play, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule (default: 1)")
    parser.add_argument("--schedules", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--bugs", action="store_true", help="hunt the planted bugs instead")
    parser.add_argument("--quiet", action="store_true", help="one schedule: only its verdict")
    arguments = parser.parse_args()
    if arguments.bugs:
        return _hunt(max(arguments.schedules, 500))
    if arguments.schedules == 1:
        return _one(arguments.seed, is_quiet=arguments.quiet)
    return _many(arguments.seed, arguments.schedules)


def _one(seed: int, *, is_quiet: bool) -> int:
    report = play(seed, with_trace=True)
    if not is_quiet:
        _say(f"faults: {report.mix.described()}")
        _say("\n".join(report.lines))
    for violation in report.violations:
        _say(f"VIOLATION {violation}")
    verdict = "failed" if report.violations else "held"
    _say(f"seed {seed} {verdict}: {report.seconds:.1f} virtual seconds, {report.trace_hash}")
    return 1 if report.violations else 0


def _many(first: int, schedules: int) -> int:
    totals: Counter[str] = Counter()
    failed: list[int] = []
    steps, begun = 0, time.process_time()
    for seed in range(first, first + schedules):
        report = play(seed)
        totals.update(report.counts)
        steps += report.steps
        if report.violations:
            failed.append(seed)
            sys.stderr.write(report.described() + "\n\n")
    seconds = time.process_time() - begun
    for what, count in sorted(totals.items()):
        _say(f"{count:10,}  {what}")
    rate = f"{schedules / seconds:.0f} schedules/s, {steps / seconds:,.0f} steps/s"
    _say(f"{schedules} schedules in {seconds:.1f} CPU s ({rate}); {len(failed)} failed: {failed}")
    return 1 if failed else 0


def _hunt(schedules: int) -> int:
    missed = 0
    for name, bug in BUGS.items():
        for with_invariants in (True, False):
            catch = hunt(bug, schedules_max=schedules, with_invariants=with_invariants)
            missed += catch is None
            found = "NOT FOUND" if catch is None else f"{catch.schedules:4} {catch.report.rules[0]}"
            _say(f"{name:46}{'asserting' if with_invariants else 'oracles alone':14} {found}")
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
