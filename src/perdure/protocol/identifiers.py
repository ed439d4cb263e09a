"""The strings that name things on the wire: functions, versions, executions, tokens, ARNs.

Bounds and patterns are botocore's (``lambda/2015-03-31``). They say what a name looks like;
``arns`` takes it apart.
"""

from typing import Annotated, Final

from perdure.protocol.constraints import Text

__all__ = [
    "AliasName",
    "AwsArn",
    "CallbackId",
    "CheckpointToken",
    "ClientToken",
    "CodeSigningConfigArn",
    "Description",
    "DurableExecutionArn",
    "DurableExecutionName",
    "FunctionArn",
    "FunctionIdentifier",
    "FunctionName",
    "FunctionVersionNumber",
    "KmsKeyArn",
    "LayerVersionArn",
    "OperationId",
    "OperationName",
    "OperationSubType",
    "PublishedVersion",
    "QualifiedFunctionArn",
    "Qualifier",
    "ResourceArn",
    "RoleArn",
    "TaggableResource",
    "TenantId",
    "TraceId",
]

_REGION: Final = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_PARTIAL_FUNCTION: Final = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?(" + _REGION + r":)?(\d{12}:)?(function:)?"
)
_FUNCTION_ARN: Final = r"arn:(aws[a-zA-Z-]*)?:lambda:" + _REGION + r":\d{12}:function:"

OperationId = Annotated[str, Text(1, 64, r"[a-zA-Z0-9-_]+")]
OperationName = Annotated[str, Text(1, 256, r"[\x20-\x7E]+")]
OperationSubType = Annotated[str, Text(1, 32, r"[a-zA-Z0-9-_]+")]
CallbackId = Annotated[str, Text(1, 1024, r"[A-Za-z0-9+/]+={0,2}")]
CheckpointToken = Annotated[str, Text(1, 2048, r"[A-Za-z0-9+/]+={0,2}")]
ClientToken = Annotated[str, Text(1, 64, r"[\x21-\x7E]+")]
TenantId = Annotated[str, Text(1, 256, r"[a-zA-Z0-9\._:\/=+\-@ ]+")]
TraceId = Annotated[str, Text(0, 8192)]

DurableExecutionName = Annotated[str, Text(1, 64, r"[a-zA-Z0-9-_]+")]
DurableExecutionArn = Annotated[
    str,
    Text(
        1,
        1024,
        r"arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+)"
        r":(\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)",
    ),
]

#: A function by name, ARN or partial ARN, with or without a qualifier.
FunctionName = Annotated[
    str,
    Text(1, 140, _PARTIAL_FUNCTION + r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"),
]
#: The same, as the newer calls take it. Source: NamespacedFunctionName
FunctionIdentifier = Annotated[
    str,
    Text(
        1,
        256,
        _PARTIAL_FUNCTION + r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    ),
]
FunctionArn = Annotated[
    str, Text(0, 10_000, _FUNCTION_ARN + r"[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?")
]
QualifiedFunctionArn = Annotated[
    str,
    Text(
        0,
        10_000,
        _FUNCTION_ARN + r"[a-zA-Z0-9-_\.]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    ),
]
FunctionVersionNumber = Annotated[str, Text(1, 1024, r"(\$LATEST|[0-9]+)")]
PublishedVersion = Annotated[str, Text(1, 1024, r"(\$LATEST(\.PUBLISHED)?|[0-9]+)")]
Qualifier = Annotated[str, Text(1, 128, r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")]
AliasName = Annotated[str, Text(1, 128, r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")]
Description = Annotated[str, Text(0, 256)]
TaggableResource = Annotated[
    str,
    Text(
        1,
        10_000,
        r"arn:(aws[a-zA-Z-]*):lambda:" + _REGION + r":\d{12}:"
        r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?"
        r"|code-signing-config:csc-[a-z0-9]{17}"
        r"|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
        r"|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})",
    ),
]

AwsArn = Annotated[
    str,
    Text(
        0,
        10_000,
        r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:(" + _REGION + r")?:(\d{12})?:(.*)",
    ),
]
ResourceArn = Annotated[str, Text(0, 10_000, r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")]
KmsKeyArn = ResourceArn
RoleArn = Annotated[
    str, Text(0, 10_000, r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
]
CodeSigningConfigArn = Annotated[
    str,
    Text(
        0,
        200,
        r"arn:(aws[a-zA-Z-]*)?:lambda:" + _REGION + r":\d{12}:code-signing-config:csc-[a-z0-9]{17}",
    ),
]
LayerVersionArn = Annotated[
    str,
    Text(
        1,
        2048,
        r"((arn:(aws[a-zA-Z-]*)?:lambda:" + _REGION + r":\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)"
        r"|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))",
    ),
]
