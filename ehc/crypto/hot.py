"""What a plain request costs beside its answer, by native calls (native/bindings/hot.pxi)."""

from ehc._native import Door, Doors, Operation, PlainRequest, PlainRequests, wall_seconds

__all__ = ["Door", "Doors", "Operation", "PlainRequest", "PlainRequests", "wall_seconds"]
