"""The ids of operations: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.identifiers import OperationIdNamespace

__all__ = ["OperationIdNamespace"]
