"""Runs every test in the order that finds trouble soonest, prints what ran, and fails if a part
failed.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: Name, pytest arguments. What measures or kills runs alone, so that it is not disturbed.
PARTS = (
    (
        "unit and property",
        ["-n", "2", "tests/protocol", "tests/core", "tests/store", "tests/engine", "tests/api"],
    ),
    ("simulation", ["-n", "2", "tests/simulation"]),
    ("runtime", ["-n", "2", "tests/runtime"]),
    (
        "service, command line and examples",
        ["-n", "2", "tests/service", "tests/cli", "tests/examples"],
    ),
    ("conformance", ["-n", "0", "tests/conformance"]),
    ("chaos", ["-n", "0", "tests/chaos"]),
)


def main() -> int:
    """Run the parts; return the exit status."""
    failed: list[str] = []
    for name, arguments in PARTS:
        present = [a for a in arguments if not a.startswith("tests/") or (ROOT / a).is_dir()]
        if not any(a.startswith("tests/") for a in present):
            print(f"== {name}: nothing here", flush=True)
            failed.append(name)
            continue
        print(f"== {name}", flush=True)
        began = time.monotonic()
        status = subprocess.call([sys.executable, "-m", "pytest", "-q", *present], cwd=ROOT)
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
