"""The logger of a context: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.logger import Logger, LoggerInterface, LogInfo

__all__ = ["LogInfo", "Logger", "LoggerInterface"]
