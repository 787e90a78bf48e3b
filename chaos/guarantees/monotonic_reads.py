"""
Monotonic reads: what a client has seen does not go back.

Definition: the ``revision`` in the notes of a ``read`` (ok) is not lower than that of any ``read`` (ok) of the same client
that completed before it was invoked.
"""

from chaos.guarantees.guarantee import Guarantee
from chaos.guarantees.revisions import reads
from chaos.guarantees.sessions import judge_sessions
from chaos.history import History
from chaos.verdict import Verdict

NAME = "monotonic_reads"


def _judge(history: History) -> Verdict:
    return judge_sessions(history, NAME, reads, "read after an earlier read")


monotonic_reads = Guarantee(
    name=NAME,
    promise="A client never reads something older than it has read before.",
    check=_judge,
    source="Terry et al. 1994, Session guarantees for weakly consistent replicated data",
    silent_on="how old the reads are, as long as they do not go back",
    needs=("read",),
    per_client=True,
)
