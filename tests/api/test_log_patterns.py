"""Filter patterns mean what CloudWatch Logs' user guide says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.api.log_patterns import PatternError, compile_pattern

ARN = "arn:aws:lambda:us-east-1:0:function:f:$LATEST/durable-execution/n/i"


@pytest.mark.parametrize(
    ("pattern", "line", "is_match"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("a b", "b a", True),
        ("a b", "a", False),
        ('"b a"', "b a", True),
        ('"b a"', "a b", False),
        (r'"say \"hi\""', 'they say "hi"', True),
        ("?x ?y", "only y", True),
        ("?x ?y", "neither", False),
        ("a -b", "a c", True),
        ("a -b", "a b", False),
        ('{ $.level = "ERROR" }', '{"level": "ERROR"}', True),
        ('{ $.level = "ERROR" }', '{"level": "INFO"}', False),
        ('{ $.level = "ERROR" }', '{"other": 1}', False),
        ('{ $.level = "ERROR" }', "level = ERROR", False),
        ('{ $.level = "ERROR" }', '{"level": "ERROR"', False),
        ('{ $.level = "ERROR" }', "[" * 5_000, False),
        ("{ $.level = ERROR }", '{"level": "ERROR"}', True),
        ('{ $.level != "ERROR" }', '{"level": "INFO"}', True),
        ('{ $.level != "ERROR" }', "{}", False),
        ("{ $.n = 1 }", '{"n": 1.0}', True),
        ("{ $.n != 1 }", '{"n": 2}', True),
        ("{ $.n > 1 }", '{"n": 2}', True),
        ("{ $.n >= 2 }", '{"n": 2}', True),
        ("{ $.n < -1.5e1 }", '{"n": -16}', True),
        ("{ $.n <= 1 }", '{"n": true}', False),
        ("{ $.n = 1 }", '{"n": "1"}', False),
        ('{ $.n = "1" }', '{"n": "1"}', True),
        ("{ $.a.b[1].c = x }", '{"a": {"b": [0, {"c": "x"}]}}', True),
        ("{ $.a.b[9].c = x }", '{"a": {"b": [0]}}', False),
        ("{ $['a b'].c-d = x }", '{"a b": {"c-d": "x"}}', True),
        ('{ $.a = "x*" }', '{"a": "xyz"}', True),
        ('{ $.a = "*y*" }', '{"a": "xyz"}', True),
        ('{ $.a = "x*y*z" }', '{"a": "x-y-z"}', True),
        ('{ $.a = "xy*yz" }', '{"a": "xyz"}', False),
        ('{ $.a = "x*q*z" }', '{"a": "xyz"}', False),
        ('{ $.a != "x*" }', '{"a": "abc"}', True),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a IS NULL }", "{}", False),
        ("{ $.a IS TRUE }", '{"a": true}', True),
        ("{ $.a is false }", '{"a": false}', True),
        ("{ $.a NOT EXISTS }", "{}", True),
        ("{ $.a NOT EXISTS }", '{"a": null}', False),
        ("{ $.a = 1 && $.b = 2 }", '{"a": 1, "b": 2}', True),
        ("{ $.a = 1 && $.b = 2 }", '{"a": 1}', False),
        ("{ $.a = 1 || $.b = 2 && $.c = 3 }", '{"a": 1}', True),
        ("{ ($.a = 1 || $.b = 2) && $.c = 3 }", '{"a": 1}', False),
        (
            f'{{ ($.durableExecutionArn = "{ARN}") || ($.executionArn = "{ARN}") }}',
            f'{{"executionArn": "{ARN}", "message": "m"}}',
            True,
        ),
    ],
)
def test_a_pattern_matches(pattern: str, line: str, *, is_match: bool) -> None:
    assert compile_pattern(pattern)(line) is is_match


@pytest.mark.parametrize(
    "pattern",
    [
        "[a, b]",
        "%x%",
        '"open',
        "{",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ $.a = 1 } more",
        "{ a = 1 }",
        "{ $.a ~ 1 }",
        "{ $.a IS MAYBE }",
        "{ $.a < x }",
        "{ $.a = = }",
        '{ $.a IS "TRUE" }',
        "{ ($.a = 1 }",
        "{ $.a & 1 }",
        "{ " + "(" * 100 + "$.a = 1" + ")" * 100 + " }",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


@given(st.text(alphabet='{}()$.ab =!<>&|"*\\[]1IS NULL', max_size=60), st.text(max_size=20))
def test_any_text_is_a_pattern_or_refused(pattern: str, line: str) -> None:
    try:
        result: object = compile_pattern(pattern)(line)
    except PatternError:
        result = False
    assert isinstance(result, bool)
