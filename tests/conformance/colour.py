"""Makes async handlers of the suite's handlers, by their syntax: the same code, awaited.

A function that calls a durable operation becomes ``async def`` and awaits it; so does whoever calls
such a function. Lambdas stay as they are: they return what they were to await.
"""

import ast

__all__ = ["awaited"]

_OPERATIONS = frozenset(
    {
        "create_callback",
        "invoke",
        "map",
        "parallel",
        "result",
        "run_in_child_context",
        "step",
        "wait",
        "wait_for_callback",
        "wait_for_condition",
    }
)


def awaited(source: str) -> str:
    """Return the source of a module of handlers with its durable operations awaited."""
    module = ast.parse(source)
    names: set[str] = set()
    while (
        found := {
            node.name
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef) and _Finder(names).is_durable(node)
        }
        - names
    ):
        names |= found
    return ast.unparse(ast.fix_missing_locations(_Colouring(names).visit(module)))


def _is_operation(call: ast.Call, names: set[str]) -> bool:
    match call.func:
        case ast.Attribute(attr=name):
            return name in _OPERATIONS
        case ast.Name(id=name):
            return name in names
        case _:
            return False


class _Finder(ast.NodeVisitor):
    """Looks for operations in a function's own code."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._is_found = False

    def is_durable(self, function: ast.FunctionDef) -> bool:
        for statement in function.body:
            self.visit(statement)
        return self._is_found

    def visit_Call(self, node: ast.Call) -> None:
        self._is_found = self._is_found or _is_operation(node, self._names)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        pass

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass


class _Colouring(ast.NodeTransformer):
    """Makes the functions coroutine functions, and awaits the calls in them."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._is_async = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        before, self._is_async = self._is_async, _Finder(self._names).is_durable(node)
        self.generic_visit(node)
        is_async, self._is_async = self._is_async, before
        return ast.AsyncFunctionDef(**dict(ast.iter_fields(node))) if is_async else node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        before, self._is_async = self._is_async, False
        self.generic_visit(node)
        self._is_async = before
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_awaited = self._is_async and _is_operation(node, self._names)
        return ast.Await(node) if is_awaited else node
