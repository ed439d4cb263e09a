"""SAM templates."""

from pathlib import Path
from typing import Any

import pytest

from perdure.cli.errors import CommandError
from perdure.cli.sources import FunctionSource
from perdure.cli.templates import read_template
from perdure.protocol.configurations import DurableConfig, LoggingConfig
from perdure.protocol.setting_words import LogFormat

WHOLE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: test}
  Table: {Type: String}
Globals:
  Function:
    Runtime: python3.13
    Timeout: 20
    Environment:
      Variables: {SHARED: "yes", BOTH: global}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "orders-${Stage}"
      CodeUri: src
      Handler: app.handler
      Timeout: "30"
      MemorySize: 256
      CapacityProviderConfig:
        Arn: !GetAtt Instances.Arn
        PerExecutionEnvironmentMaxConcurrency: 16
      AutoPublishAlias: live
      DurableConfig: {ExecutionTimeout: 3600, RetentionPeriodInDays: 7}
      LoggingConfig: {LogFormat: JSON}
      Environment:
        Variables:
          BOTH: own
          NUMBER: 7
          FLAG: true
          TABLE: !Ref Table
          OTHER: !Ref Mailer
          ARN: !GetAtt Mailer.Arn
  Mailer:
    Type: AWS::Serverless::Function
    Properties: {Handler: mail.handler}
  Bucket:
    Type: AWS::S3::Bucket
"""


def template(folder: Path, text: str) -> Path:
    file = folder / "template.yaml"
    file.write_text(text)
    return file


def one(folder: Path, properties: str, rest: str = "") -> FunctionSource:
    """Return the function of a template with one that has ``properties``."""
    text = f"""
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {{Handler: app.handler, Runtime: python3.13, {properties}}}
{rest}
"""
    (source,) = read_template(template(folder, text), {})
    return source


def test_functions_have_what_the_template_says(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    file = template(tmp_path, WHOLE)

    assert read_template(file, {"Table": "t1"}) == [
        FunctionSource(
            name="orders-test",
            folder=tmp_path / "src",
            origin=file,
            handler="app.handler",
            runtime="python3.13",
            durable=DurableConfig(execution_timeout=3600, retention_period_in_days=7),
            logging=LoggingConfig(log_format=LogFormat.JSON),
            timeout_seconds=30,
            memory_mb=256,
            runs_per_worker=16,
            alias="live",
            environment={
                "SHARED": "yes",
                "BOTH": "own",
                "NUMBER": "7",
                "FLAG": "true",
                "TABLE": "t1",
                "OTHER": "Mailer",
                "ARN": "arn:aws:lambda:us-east-1:000000000000:function:Mailer",
            },
        ),
        FunctionSource(
            name="Mailer",
            folder=tmp_path,
            origin=file,
            handler="mail.handler",
            runtime="python3.13",
            timeout_seconds=20,
            environment={"SHARED": "yes", "BOTH": "global"},
        ),
    ]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('!Sub "a-${AWS::Region}-${!kept}"', "a-us-east-1-${kept}"),
        ('!Sub ["${x}-${AWS::AccountId}", {x: !Ref AWS::Partition}]', "aws-000000000000"),
        ('!Join ["-", [a, !Ref P]]', "a-p"),
        ("!Select [1, [a, b]]", "b"),
        ('!Select [0, !Split ["/", "x/y"]]', "x"),
        ("!FindInMap [M, k, v]", "found"),
        ("!If [IsP, then, else]", "then"),
        ("!If [IsOther, then, else]", "else"),
        ("!Base64 hi", "aGk="),
        ("{Ref: P}", "p"),
        ('{"Fn::Sub": "${B}"}', "named"),
    ],
)
def test_expressions_are_resolved(tmp_path: Path, expression: str, value: str) -> None:
    rest = """
  B: {Type: "AWS::S3::Bucket", Properties: {BucketName: named}}
Parameters: {P: {Default: p}}
Mappings: {M: {k: {v: found}}}
Conditions:
  IsP: !Equals [!Ref P, p]
  IsOther: !And [!Not [!Condition IsP], !Or [!Condition IsP, !Equals [a, a]]]
"""
    source = one(tmp_path, f"Environment: {{Variables: {{V: {expression}}}}}", rest)

    assert source.environment == {"V": value}


def test_no_value_is_no_property(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        "Timeout: !Ref AWS::NoValue, Environment: {Variables: {V: !Ref AWS::NoValue, W: w}}",
    )

    assert (source.timeout_seconds, source.environment) == (None, {"W": "w"})


def test_an_attribute_can_be_given_as_a_parameter(tmp_path: Path) -> None:
    text = """
Resources:
  T: {Type: "AWS::DynamoDB::Table"}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Environment: {Variables: {A: !GetAtt T.Arn, B: !Sub "${T.Arn}/x"}}
"""
    (source,) = read_template(template(tmp_path, text), {"T.Arn": "arn:t"})

    assert source.environment == {"A": "arn:t", "B": "arn:t/x"}


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ("CodeUri: gone", "function F: CodeUri gone is no folder"),
        ("InlineCode: x", "InlineCode is not supported"),
        ("PackageType: Image", "PackageType Image is not supported"),
        ("Timeout: soon", "Timeout must be a whole number .value: 'soon'."),
        ("Timeout: true", "Timeout must be a whole number"),
        ("FunctionName: [a]", "FunctionName must be a string"),
        ("DurableConfig: 5", "DurableConfig must be a map"),
        ("DurableConfig: {ExecutionTimeout: 0}", r"DurableConfig.ExecutionTimeout .*\(value: 0\)"),
        ("Environment: {Variables: {V: [1]}}", "Environment.Variables.V is no string"),
        ("Environment: {Variables: {V: !Ref Nix}}", "!Ref Nix: the template has nothing"),
        ("Environment: {Variables: {V: !Ref Q}}", "parameter Q has no default; give it with"),
        ("Environment: {Variables: {V: !GetAtt F.Nix}}", "give it with --parameter F.Nix=VALUE"),
        ("Environment: {Variables: {V: !GetAtt Nix.Arn}}", "no resource Nix"),
        ("Environment: {Variables: {V: !GetAtt Nix}}", "needs RESOURCE.ATTRIBUTE"),
        ("Environment: {Variables: {V: !ImportValue x}}", "Fn::ImportValue is not supported"),
        ("Environment: {Variables: {V: !If [Nix, a, b]}}", "no condition of that name"),
        ("Environment: {Variables: {V: !Select [5, [a]]}}", "the list has 1 items"),
        ("Environment: {Variables: {V: !FindInMap [M, a, b]}}", "it has no a, b"),
        ("Environment: {Variables: {V: !Sub {}}}", "!Sub needs a string"),
        ("Environment: {Variables: {V: !Sub '${L}'}}", "stands for list, where a string"),
    ],
)
def test_what_cannot_run_here_is_an_error_that_says_where(
    tmp_path: Path, properties: str, problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        one(tmp_path, properties, "Parameters: {Q: {Type: String}, L: {Default: [a]}}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is no YAML"),
        ("- a", "is no template: it must be a map"),
        ("Resources: {}", "has no resource of type AWS::Serverless::Function"),
        ("!!python/object/apply:os.system ['true']", "is no YAML"),
        (
            "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}}",
            "function F: Handler and Runtime are required",
        ),
        (
            "Resources: {F: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: esbuild}}}",
            "its code is built .esbuild.; run `sam build`",
        ),
    ],
)
def test_what_is_no_template_is_an_error(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        read_template(template(tmp_path, text), {})


def test_conditions_that_refer_to_themselves_are_an_error(tmp_path: Path) -> None:
    rest = "Conditions: {A: !Condition B, B: !Condition A}"
    with pytest.raises(CommandError, match="more than 50 deep"):
        one(tmp_path, "Environment: {Variables: {V: !If [A, a, b]}}", rest)


def test_globals_give_an_expression_as_one_value(tmp_path: Path) -> None:
    text: Any = """
Parameters: {P: {Default: p}}
Globals: {Function: {Runtime: python3.13, FunctionName: !Ref P, Environment: {Variables: {A: a}}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, FunctionName: !Sub "${P}q", Environment: {Variables: {A: b}}}
"""
    (source,) = read_template(template(tmp_path, text), {})

    assert (source.name, source.environment) == ("pq", {"A": "b"})
