"""
All that a verdict says, as plain values to compare.
"""

from chaos.verdict import Verdict

Told = tuple[str, str, str, dict[str, float]]


def told(verdict: Verdict) -> Told:
    """Whose verdict it is, which, why, and the numbers."""
    return verdict.guarantee, verdict.status.value, verdict.reason, dict(verdict.measures)


def proof(verdict: Verdict) -> tuple[str, str, list[int]]:
    """A violation's anomaly, its sentence, and the operations shown by their number in the history."""
    assert verdict.witness is not None, verdict
    witness = verdict.witness
    return witness.anomaly, witness.sentence, [operation.index for operation in witness.operations]
