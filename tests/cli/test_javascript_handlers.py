"""Handlers in JavaScript, found by words."""

import pytest

from perdure.cli.handlers import Handler
from perdure.cli.javascript_handlers import find_javascript_handlers

IMPORT = "import { withDurableExecution } from '@aws/durable-execution-sdk-js';\n"


def durable(name: str) -> Handler:
    return Handler(name=name, is_durable=True)


def plain(name: str) -> Handler:
    return Handler(name=name, is_durable=False)


@pytest.mark.parametrize(
    ("text", "handlers"),
    [
        pytest.param(
            IMPORT + "export const handler = withDurableExecution(async () => {});",
            [durable("handler")],
            id="export-const",
        ),
        pytest.param(
            IMPORT + "export const handler = withDurableExecution(\nasync () => {});",
            [durable("handler")],
            id="on-two-lines",
        ),
        pytest.param(
            IMPORT
            + "export const a = withDurableExecution(f); export const b = withDurableExecution(g)",
            [durable("a"), durable("b")],
            id="two-on-a-line",
        ),
        pytest.param(
            "const { withDurableExecution } = require('x');\n"
            "exports.run = withDurableExecution(f);",
            [durable("run")],
            id="exports",
        ),
        pytest.param(
            "const sdk = require('x');\nmodule.exports.run = sdk.withDurableExecution(f);",
            [durable("run")],
            id="module-exports",
        ),
        pytest.param(
            "import { withDurableExecution as wde } from 'x';\nexport const run = wde(f);",
            [durable("run")],
            id="renamed-import",
        ),
        pytest.param(
            "const { withDurableExecution: wde } = require('x');\nexports.run = wde(f);",
            [durable("run")],
            id="renamed-require",
        ),
        pytest.param(
            IMPORT + "const run = withDurableExecution(f);\nexport { run as handler, other };",
            [durable("handler")],
            id="export-list",
        ),
        pytest.param(
            "const run = withDurableExecution(f);\nmodule.exports = { go: run, x };",
            [durable("go")],
            id="exports-object",
        ),
        pytest.param(
            IMPORT + "export const handler = traced(withDurableExecution(f));",
            [durable("handler")],
            id="wrapped-twice",
        ),
        pytest.param(
            "export async function handler(event) {}", [plain("handler")], id="plain-function"
        ),
        pytest.param("exports.handler = async () => 1;", [plain("handler")], id="plain-exports"),
        pytest.param("export const other = 1;", [], id="none"),
        pytest.param(
            "// export const handler = 1;\n/*\nexport const handler = 2;\n*/", [], id="comments"
        ),
        pytest.param("const x = `\nexport const handler = 1;\n`;", [], id="template"),
        pytest.param(
            "const url = 'https://x'; // it's\nexport const handler = () => 1;",
            [plain("handler")],
            id="slashes-in-a-string",
        ),
    ],
)
def test_handlers_are_found(text: str, handlers: list[Handler]) -> None:
    assert find_javascript_handlers(text) == handlers
