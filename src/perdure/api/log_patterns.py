"""Filter patterns of CloudWatch Logs: from their text to a test of a log line.

    error                         lines with the word
    error "out of memory"         lines with both
    ?error ?warn                  lines with one of them
    error -retry                  lines with one and without the other
    { $.level = "ERROR" }         lines of JSON whose members are as said: = != < <= > >=,
                                  IS NULL, IS TRUE, IS FALSE, NOT EXISTS, && || and parentheses,
                                  ``*`` at the ends of or within a text for anything

Source: CloudWatch Logs user guide, filter pattern syntax. Patterns of columns (``[...]``) and
regular expressions (``%...%``) are refused.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

__all__ = ["PatternError", "compile_pattern"]

#: Tells whether a log line matches.
LineTest = Callable[[str], bool]
#: Tells whether the document of a log line matches.
Test = Callable[[Any], bool]

_DEPTH_MAX: Final = 20

_TERM: Final = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<mark>&&|\|\||!=|<=|>=|[(){}=<>])
      | (?P<selector>\$(?:\.\[?'[^']*'\]?|\.[A-Za-z_@][\w@-]*|\[\d+\]|\['[^']*'\])*)
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<word>[^\s(){}=<>!&|"]+)
    )""",
    re.VERBOSE,
)
_STEP: Final = re.compile(r"\.?\['([^']*)'\]|\.'([^']*)'|\.([A-Za-z_@][\w@-]*)|\[(\d+)\]")
_NUMBER: Final = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][-+]?\d{1,3})?\Z")

_ORDERINGS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_ABSENT: Final = object()


class PatternError(ValueError):
    """The text is no filter pattern, or of a kind that is not supported."""


def compile_pattern(pattern: str) -> LineTest:
    """Return the test that a filter pattern stands for.

    Raises:
        PatternError: it is none.
    """
    text = pattern.strip()
    if not text:
        return lambda _: True
    if text.startswith("["):
        raise PatternError("patterns of columns, [...], are not supported")
    if text.startswith("%"):
        raise PatternError("regular expressions, %...%, are not supported")
    if text.startswith("{"):
        return _of_documents(_Parser(text).parse())
    return _of_terms(text)


def _of_documents(test: Test) -> LineTest:
    def matches(line: str) -> bool:
        if not line.lstrip().startswith(("{", "[")):
            return False
        try:
            document = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        return test(document)

    return matches


def _of_terms(text: str) -> LineTest:
    wanted: list[str] = []
    either: list[str] = []
    unwanted: list[str] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise PatternError(f"the pattern cannot be read at {text[at : at + 20]!r}")
        sign, quoted, plain = found.groups()
        term = plain if quoted is None else _unescaped(quoted)
        {"": wanted, "?": either, "-": unwanted}[sign].append(term)
        at = found.end()

    def matches(line: str) -> bool:
        return (
            all(term in line for term in wanted)
            and (not either or any(term in line for term in either))
            and not any(term in line for term in unwanted)
        )

    return matches


class _Parser:
    """Reads a pattern of a document: ``{ any }``.

    any: all (|| all)* · all: one (&& one)* · one: ( any ) | selector comparison
    """

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> Test:
        self._expect("{")
        test = self._any(0)
        self._expect("}")
        if self._at != len(self._tokens):
            raise PatternError(f"nothing may follow the last brace, but {self._shown()} does")
        return test

    def _any(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._take("||"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda document: any(t(document) for t in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._take("&&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda document: all(t(document) for t in tests)

    def _one(self, depth: int) -> Test:
        if self._take("("):
            if depth == _DEPTH_MAX:
                raise PatternError(f"parentheses are nested deeper than {_DEPTH_MAX}")
            test = self._any(depth + 1)
            self._expect(")")
            return test
        kind, selector = self._next()
        if kind != "selector":
            raise PatternError(f"a selector such as $.name is expected, not {selector!r}")
        return self._comparison(_steps(selector))

    def _comparison(self, steps: list[str | int]) -> Test:
        kind, word = self._next()
        if kind == "mark" and word in _ORDERINGS:
            value_kind, value = self._next()
            if value_kind not in ("text", "word"):
                raise PatternError(f"a value is expected, not {value!r}")
            return _compared(steps, word, value, is_text=value_kind == "text")
        second_kind, second = self._next()
        if kind == second_kind == "word":
            match word.upper(), second.upper():
                case "IS", ("NULL" | "TRUE" | "FALSE") as name:
                    expected = {"NULL": None, "TRUE": True, "FALSE": False}[name]
                    return lambda document: _select(document, steps) is expected
                case "NOT", "EXISTS":
                    return lambda document: _select(document, steps) is _ABSENT
                case _:
                    pass
        raise PatternError(f"a comparison is expected, not {word!r} {second!r}")

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise PatternError("the pattern ends too early")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _take(self, mark: str) -> bool:
        is_next = self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)
        self._at += is_next
        return is_next

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise PatternError(f"{mark} is expected, not {self._shown()}")

    def _shown(self) -> str:
        rest = self._tokens[self._at : self._at + 1]
        return repr(rest[0][1]) if rest else "the end"


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise PatternError(f"the pattern cannot be read at {text[at : at + 20]!r}")
        kind = found.lastgroup or ""
        tokens.append((kind, found[kind]))
        at = found.end()
    return tokens


def _steps(selector: str) -> list[str | int]:
    return [
        int(index) if index else bracketed or quoted or plain
        for bracketed, quoted, plain, index in _STEP.findall(selector)
    ]


def _select(document: Any, steps: list[str | int]) -> Any:
    """Return the member that the steps lead to, or ``_ABSENT``."""
    for step in steps:
        if isinstance(step, str) and isinstance(document, dict):
            document = cast("dict[str, Any]", document).get(step, _ABSENT)
        elif isinstance(step, int) and isinstance(document, list):
            items = cast("list[Any]", document)
            document = items[step] if step < len(items) else _ABSENT
        else:
            return _ABSENT
    return document


def _compared(steps: list[str | int], mark: str, value: str, *, is_text: bool) -> Test:
    if not is_text and _NUMBER.match(value):
        number, compare = float(value), _ORDERINGS[mark]

        def compares(document: Any) -> bool:
            found = _select(document, steps)
            is_number = isinstance(found, int | float) and not isinstance(found, bool)
            return is_number and compare(found, number)

        return compares
    if mark not in ("=", "!="):
        raise PatternError(f"{mark} is for numbers, not {value!r}")
    matches_text = _text_test(_unescaped(value) if is_text else value)
    is_wanted = mark == "="

    def matches(document: Any) -> bool:
        found = _select(document, steps)
        return isinstance(found, str) and matches_text(found) is is_wanted

    return matches


def _text_test(value: str) -> Callable[[str], bool]:
    if "*" not in value:
        return lambda found: found == value
    begin, *middle, end = value.split("*")

    def matches(found: str) -> bool:
        """Look for the parts in order: no expression that could take for ever."""
        if not found.startswith(begin) or not found.endswith(end):
            return False
        at, last = len(begin), len(found) - len(end)
        for part in middle:
            at = found.find(part, at, last)
            if at < 0:
                return False
            at += len(part)
        return at <= last

    return matches


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
