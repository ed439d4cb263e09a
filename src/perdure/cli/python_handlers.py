"""Which handlers a Python file has, found in its syntax tree: the file is never run."""

import ast
from collections.abc import Iterator
from typing import Final

from perdure.cli.handlers import Handler, SourceError

__all__ = ["find_python_handlers"]

_DECORATOR: Final = "durable_execution"
_PLAIN_NAMES: Final = ("handler", "lambda_handler")


def find_python_handlers(text: str) -> list[Handler]:
    """Return the handlers at the top of the file, in its order.

    A handler is durable if ``durable_execution`` decorates it or is called to make it. A function
    called ``handler`` or ``lambda_handler`` is a handler too, and a plain one.

    Raises:
        SourceError: the text is no Python.
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise SourceError(f"line {line}: {getattr(error, 'msg', error)}") from error
    decorators = {_DECORATOR, *_other_names(module)}
    found = {
        name: is_durable
        for statement in module.body
        for name, is_durable in _handlers(statement, decorators)
        if is_durable or name in _PLAIN_NAMES
    }
    return [Handler(name=name, is_durable=is_durable) for name, is_durable in found.items()]


def _other_names(module: ast.Module) -> Iterator[str]:
    """Yield what the decorator is called here, where its import renames it."""
    for statement in ast.walk(module):
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name == _DECORATOR and alias.asname:
                    yield alias.asname


def _handlers(statement: ast.stmt, decorators: set[str]) -> Iterator[tuple[str, bool]]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield (
                statement.name,
                any(_is_durable(decorator, decorators) for decorator in statement.decorator_list),
            )
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value):
            yield name, _is_durable(value, decorators)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as value):
            yield name, _is_durable(value, decorators)
        case _:
            return


def _is_durable(expression: ast.expr, decorators: set[str]) -> bool:
    match expression:
        case ast.Name(id=name):
            return name in decorators
        case ast.Attribute(attr=name):
            return name == _DECORATOR
        case ast.Call(func=function):
            return _is_durable(function, decorators)
        case _:
            return False
