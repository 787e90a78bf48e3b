"""
Who is in a lab, and in which order.
"""

from typing import cast

import pytest

from chaos.errors import UsageError
from chaos.network.mesh import ALONE
from chaos.providers.channel import AgentChannel
from chaos.providers.contract import PartySpec, Role
from chaos.providers.roster import Roster


def test_parties_are_named_in_the_order_in_which_they_were_asked_for_not_made() -> None:
    """An engine makes them side by side, and whichever is there first is no order that anybody knows."""
    roster = Roster("lab-1", ALONE)
    specs = [PartySpec(name=name, role=Role.CLIENT) for name in ("n2", "n1", "c1")]
    made = {name: cast(AgentChannel, object()) for name in ("c1", "n2", "n1")}
    roster.add(specs, roster.seat_all(specs), made)
    with pytest.raises(UsageError, match="no party named 'n9'; there are: n2, n1, c1"):
        roster.channel("n9")
