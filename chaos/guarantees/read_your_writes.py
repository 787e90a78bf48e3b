"""
Read your writes: a client sees what it has written itself.

Definition: the ``revision`` in the notes of a ``read`` (ok) is not lower than that of any ``write``, ``cas`` or ``add`` (ok)
of the same client that completed before the read was invoked. Revisions order all writes of a store, so that one of
another key counts as well.
"""

from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.revisions import writes
from chaos.guarantees.sessions import judge_sessions
from chaos.history import History
from chaos.verdict import Verdict

NAME = "read_your_writes"


def _judge(history: History) -> Verdict:
    return judge_sessions(history, NAME, writes, "read what it had written itself")


read_your_writes = Guarantee(
    name=NAME,
    promise="A client that has written reads its own write or something newer.",
    check=_judge,
    source="Terry et al. 1994, Session guarantees for weakly consistent replicated data",
    silent_on="what clients see of each other's writes",
    needs=("read", "write"),
    per_client=True,
)
