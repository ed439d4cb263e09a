"""Bounds that the core checks before anything changes (Q1).

Those of AWS's wire model are in ``protocol``; these are the ones that depend on the execution as a
whole.
"""

from dataclasses import dataclass
from typing import Final

__all__ = [
    "AWS_QUOTAS",
    "CHAINED_PAYLOAD_BYTES_MAX",
    "CHAIN_DEPTH_MAX",
    "ERROR_BYTES_MAX",
    "RELAXED_QUOTAS",
    "REPLY_KEPT_MS",
    "Quotas",
]

ERROR_BYTES_MAX: Final = 32_768  #: Source: AWS's testing package, MAX_ERROR_PAYLOAD_SIZE_BYTES
CHAINED_PAYLOAD_BYTES_MAX: Final = (
    1_048_576  #: Source: AWS's testing package, MAX_CHAINED_INVOKE_PAYLOAD_BYTES
)
CHAIN_DEPTH_MAX: Final = 16  #: ours (I5): AWS stops loops after about 16 hops
REPLY_KEPT_MS: Final = 15 * 60 * 1000  #: how long a checkpoint is answered again (F4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How large an execution may grow. AWS's numbers are its hard limits; ``is_hard`` False only
    warns of them.
    """

    operations_max: int = 3_000  #: Source: AWS Lambda quotas, operations of a durable execution
    stored_bytes_max: int = (
        100 * 1024 * 1024
    )  #: Source: AWS Lambda quotas, data of a durable execution
    is_hard: bool = False


AWS_QUOTAS: Final = Quotas(is_hard=True)
RELAXED_QUOTAS: Final = Quotas()
