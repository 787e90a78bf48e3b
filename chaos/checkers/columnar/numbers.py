"""
What the rules share: numpy, found when it is needed, and looking up values in sorted columns.
"""

import importlib
from typing import Any, Final

FAR: Final = (1 << 63) - 1
"""A stamp after (negative: before) all others."""


def numpy() -> Any:
    """The library, which is an extra."""
    return importlib.import_module("numpy")


def unique(values: Any) -> bool:
    """Whether no value comes twice."""
    np = numpy()
    ordered = np.sort(values)
    return not bool((ordered[1:] == ordered[:-1]).any())


def places(ordered: Any, wanted: Any) -> tuple[Any, Any]:
    """Where each wanted value stands in a sorted column, and whether it does."""
    np = numpy()
    if not len(ordered):
        return np.zeros(len(wanted), dtype="int64"), np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return at, ordered[at] == wanted
