"""The words of the service, and errors as it records them: the door to ``perdure.sdk`` and
``perdure.protocol``, under AWS's name.
"""

from perdure.protocol.words import OperationAction, OperationStatus, OperationType
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.words import CallbackTimeoutType, InvocationStatus, OperationSubType

__all__ = [
    "CallbackTimeoutType",
    "ErrorObject",
    "InvocationStatus",
    "OperationAction",
    "OperationStatus",
    "OperationSubType",
    "OperationType",
]
