"""The words and the wire: operations, updates, events, the shapes of every call, limits, and one
codec. Pure.

Shapes are imported from the module that defines them; this package re-exports nothing, so that a
handler's cold start pays only for the shapes it uses.
"""

__all__: list[str] = []
