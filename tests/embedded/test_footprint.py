"""What a program pays that only embeds: one dependency."""

import json
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import json, sys
before = set(sys.modules)
import perdure.embedded
with perdure.embedded.DurableService(":memory:") as service:
    service.register("double", lambda event, context: event * 2)
    assert service.call("double", 2) == 4
print(json.dumps([
    (name, module.__file__)
    for name, module in sys.modules.items()
    if name not in before and getattr(module, "__file__", None)
]))
"""


def test_embedding_imports_msgspec_alone() -> None:
    output = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, timeout=30
    ).stdout
    packages = {
        name.partition(".")[0]
        for name, file in json.loads(output)
        if "site-packages" in Path(file).parts
    }
    # msgspec takes up typing_extensions where that is installed.
    assert packages - {"perdure", "typing_extensions"} == {"msgspec"}
