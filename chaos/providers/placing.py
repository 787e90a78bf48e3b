"""
Places for the servers of a system, beside whatever stands in the lab already.
"""

from collections.abc import Iterable

from chaos.errors import UsageError
from chaos.providers.contract import Lab, PartySpec


def refuse_taken(lab: Lab, names: Iterable[str], *, example: str) -> None:
    """
    Refuse names of parties in which something runs already.

    :param example: a topology with other names, as one would write it.
    """
    if taken := [name for name in names if name in lab.parties and lab.processes(name)]:
        raise UsageError(
            f"in this lab {', '.join(taken)} run already: give the cluster other names, such as topology={example}"
        )


def place_missing(lab: Lab, specs: Iterable[PartySpec]) -> None:
    """Make these parties in one batch; what exists already stays as it is."""
    if missing := [spec for spec in specs if spec.name not in lab.parties]:
        lab.place(missing)
