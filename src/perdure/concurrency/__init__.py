"""Maps and parallels: the package of the door of that name; see ``perdure.concurrency.models``."""

__all__: list[str] = []
