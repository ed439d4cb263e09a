"""Runs every test in the order that finds trouble soonest, prints what ran, and fails if a part
failed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: Name, pytest arguments, environment. What measures or kills runs alone, so that it is not
#: disturbed.
PARTS: tuple[tuple[str, list[str], dict[str, str]], ...] = (
    (
        "unit and property",
        [
            *("-n", "2", "tests/test_house.py", "tests/protocol", "tests/core", "tests/store"),
            *("tests/engine", "tests/api"),
        ],
        {},
    ),
    ("Python SDK", ["-n", "2", "tests/sdk"], {}),
    ("embedded, testing", ["-n", "2", "tests/embedded", "tests/testing"], {}),
    ("simulation", ["-n", "2", "tests/simulation"], {}),
    ("runtime and endpoints", ["-n", "2", "tests/runtime", "tests/endpoint"], {}),
    ("console", ["-n", "2", "tests/console"], {}),
    ("the console's page in a browser", ["-n", "0", "tests/web"], {}),
    (
        "service, command line, examples and deployment",
        ["-n", "2", "tests/service", "tests/cli", "tests/examples", "tests/deploy"],
        {},
    ),
    *(
        (
            f"conformance: {sdk}, {kept} kept handlers, {runs} runs a worker",
            ["-n", "0", "tests/conformance"],
            {
                "PERDURE_CONFORMANCE_SDK": sdk,
                "PERDURE_CONFORMANCE_KEPT": kept,
                "PERDURE_CONFORMANCE_RUNS_PER_WORKER": runs,
            },
        )
        for sdk, kept, runs in (
            ("aws", "100", "1"),
            ("perdure", "0", "8"),
            ("perdure", "100", "1"),
            ("perdure-async", "0", "1"),
            ("perdure-async", "100", "8"),
        )
    ),
    (
        "conformance: three nodes behind a load balancer",
        ["-n", "0", "tests/conformance"],
        {"PERDURE_CONFORMANCE_NODES": "3"},
    ),
    ("chaos", ["-n", "0", "tests/chaos"], {}),
    ("faults of PostgreSQL", ["-n", "0", "tests/postgres"], {}),
    ("nodes", ["-n", "0", "tests/nodes", "--ignore=tests/nodes/test_endurance.py"], {}),
    ("nodes, everything going wrong", ["-n", "0", "-s", "tests/nodes/test_endurance.py"], {}),
)


def main() -> int:
    """Run the parts; return the exit status."""
    failed: list[str] = []
    for name, arguments, variables in PARTS:
        present = [a for a in arguments if not a.startswith("tests/") or (ROOT / a).exists()]
        if not any(a.startswith("tests/") for a in present):
            print(f"== {name}: nothing here", flush=True)
            failed.append(name)
            continue
        print(f"== {name}", flush=True)
        began = time.monotonic()
        status = subprocess.call(
            [sys.executable, "-m", "pytest", "-q", *present],
            cwd=ROOT,
            env={**os.environ, **variables},
        )
        print(f"== {name}: exit status {status} after {time.monotonic() - began:.0f} s", flush=True)
        if status:
            failed.append(name)
    print(
        f"{len(PARTS) - len(failed)} passed, {len(failed)} failed"
        + (f": {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
