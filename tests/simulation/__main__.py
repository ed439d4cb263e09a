"""Plays schedules: one in full with ``--seed``, many with ``--schedules``, and says what they
covered.
"""

import argparse
import sys
import time
from collections import Counter

from .schedule import play


def main() -> int:
    """Play, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first schedule (default: 1)")
    parser.add_argument("--schedules", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--quiet", action="store_true", help="one schedule: only its verdict")
    arguments = parser.parse_args()
    if arguments.schedules == 1:
        return _one(arguments.seed, is_quiet=arguments.quiet)
    return _many(arguments.seed, arguments.schedules)


def _one(seed: int, *, is_quiet: bool) -> int:
    report = play(seed, with_trace=True)
    if not is_quiet:
        print(f"faults: {report.mix.described()}")
        print(*report.lines, sep="\n")
    for violation in report.violations:
        print(f"VIOLATION {violation}")
    verdict = "failed" if report.violations else "held"
    print(f"seed {seed} {verdict}: {report.seconds:.1f} virtual seconds, {report.trace_hash}")
    return 1 if report.violations else 0


def _many(first: int, schedules: int) -> int:
    totals: Counter[str] = Counter()
    failed: list[int] = []
    steps, begun = 0, time.perf_counter()
    for seed in range(first, first + schedules):
        report = play(seed)
        totals.update(report.counts)
        steps += report.steps
        if report.violations:
            failed.append(seed)
            print(report.described(), end="\n\n", file=sys.stderr)
    seconds = time.perf_counter() - begun
    for what, count in sorted(totals.items()):
        print(f"{count:10,}  {what}")
    rate = f"{schedules / seconds:.0f} schedules/s, {steps / seconds:,.0f} steps/s"
    print(f"{schedules} schedules in {seconds:.1f} s ({rate}); {len(failed)} failed: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
