"""
Every guarantee is registered, says what it promises, and keeps the rules that all of them share.
"""

from pathlib import Path

import pytest

import chaos.guarantees
from chaos.errors import UsageError
from chaos.guarantees import BOUNDED, GUARANTEES, Guarantee
from chaos.guarantees.recheck import guarantee_named, recheck
from chaos.history import History, Observation, Operation
from chaos.history.archive import load, save
from chaos.verdict import Status
from tests.history.build import fault, history, ns, op
from tests.meta.sources import NOT_GUARANTEES

UNITS = ("_s", "_count", "_share", "_offset")

EVERYTHING = [
    *(op("c1", "add", value, at=value / 10, result=value, log="l-0") for value in range(50)),
    *(op("c2", "incr", at=at) for at in range(5)),
    op("a", "acquire", "lock", at=0.2, result=1, term=1, expires_ns=9_000_000_000),
    op("a", "check", "lock", at=0.6, result=True),
    op("a", "write", 1, at=1, result=1, holder="a", term=1, token=1),
    op("b", "acquire", "lock", at=2, result=2, term=1),
    op("b", "write", 2, at=2.5, result=2, holder="b", term=1, token=2),
    op("a", "write", 3, at=3, result=3, holder="a", term=1, token=1),
    op("a", "release", "lock", at=3.5, result=1),
    op("b", "release", "lock", at=4, result=0),
    op("c1", "read", ["r", None], at=3.2, result=[0, None], revision=4),
    op("a", "renew", "lock", at=3.3, result=True, lease="7", expires_ns=9_000_000_000),
    op("c3", "poll", ["l-0", 0], at=3, result=[[0, 0], [1, 1]], log="l-0"),
    op("c3", "poll", ["l-0", 2], at=4.2, result=[[4, 4], [5, 5]], log="l-0"),
    op("c3", "poll", ["l-0", 6], at=4.4, result=[[5, 5], [6, 6]], log="l-0"),
    op("observer", "final-read", at=9, result=list(range(49))),
]


SEEN = [
    Observation(at_ns=ns(0.2), party="n1", kind="role", value="leader"),
    *(
        Observation(at_ns=ns(2), party=party, kind="replica-log", value={"log": "l-0", "first": 0, "values": values})
        for party, values in (("n1", list(range(20))), ("n2", list(range(15))))
    ),
    Observation(at_ns=ns(3), party="n2", kind="role", value="leader"),
]


@pytest.fixture
def recorded() -> History:
    return history(EVERYTHING, [fault(0.5, 4)], SEEN)


def test_every_file_of_a_guarantee_is_registered_under_its_name() -> None:
    files = {path.stem for path in Path(chaos.guarantees.__file__).parent.glob("*.py")}
    assert files - {"__init__", *NOT_GUARANTEES} == {*GUARANTEES, *BOUNDED}


@pytest.mark.parametrize("name", GUARANTEES)
def test_guarantee_is_importable_by_its_name_and_says_what_it_promises(name: str) -> None:
    guarantee = GUARANTEES[name]
    assert guarantee is getattr(chaos.guarantees, name)
    assert guarantee.name == name
    assert guarantee.promise.endswith(".")
    assert guarantee.source
    assert guarantee.silent_on


@pytest.mark.parametrize("guarantee", GUARANTEES.values(), ids=list(GUARANTEES))
def test_nothing_is_unknown(guarantee: Guarantee) -> None:
    assert guarantee(history([])).status is Status.UNKNOWN
    assert guarantee(history([], [fault(1, 2)])).status is Status.UNKNOWN


@pytest.mark.parametrize("guarantee", GUARANTEES.values(), ids=list(GUARANTEES))
def test_operations_nobody_saw_the_end_of_prove_nothing(guarantee: Guarantee, recorded: History) -> None:
    vanished = [op(one.client, one.f, one.value, at=one.invoked_ns / 1e9, took=None) for one in recorded]
    assert guarantee(history(vanished, (), SEEN)).status is not Status.HOLDS


@pytest.mark.parametrize("guarantee", GUARANTEES.values(), ids=list(GUARANTEES))
def test_measures_end_in_their_unit_and_witnesses_are_of_the_history(guarantee: Guarantee, recorded: History) -> None:
    verdict = guarantee(recorded)
    assert verdict.guarantee == guarantee.name
    assert all(name.endswith(UNITS) for name in verdict.measures)
    if verdict.witness:
        assert set(map(id, verdict.witness.operations)) <= set(map(id, recorded))


@pytest.mark.parametrize("guarantee", GUARANTEES.values(), ids=list(GUARANTEES))
def test_names_of_clients_change_no_verdict(guarantee: Guarantee, recorded: History) -> None:
    names = {"a": "zoe", "b": "c", "c1": "x", "c2": "y", "c3": "z", "observer": "eye"}

    def renamed(one: Operation) -> Operation:
        notes = {key: names.get(value, value) if key == "holder" else value for key, value in one.notes.items()}
        took = 0.1
        return op(names[one.client], one.f, one.value, one.invoked_ns / 1e9, took, one.result, one.outcome, **notes)

    other = guarantee(history([renamed(one) for one in recorded], recorded.faults, SEEN))
    assert (other.status, dict(other.measures)) == (guarantee(recorded).status, dict(guarantee(recorded).measures))


def test_recheck_judges_what_the_history_speaks_of(recorded: History, tmp_path: Path) -> None:
    verdicts = {one.guarantee: one.status for one in recheck(load(save(recorded, tmp_path / "history.jsonl.gz")))}
    assert set(verdicts) == set(GUARANTEES)
    assert verdicts["acked_writes_survive"] is Status.VIOLATED
    assert verdicts["mutual_exclusion"] is Status.VIOLATED
    assert verdicts["exclusive_writes"] is Status.VIOLATED
    assert verdicts["fenced_writes"] is Status.VIOLATED
    assert verdicts["monotonic_tokens"] is Status.HOLDS
    assert verdicts["recovers"] is Status.HOLDS
    assert verdicts["acked_records_survive"] is Status.VIOLATED
    assert verdicts["loss_is_predicted"] is Status.VIOLATED
    assert verdicts["gapless_polls"] is Status.VIOLATED
    assert verdicts["polled_once"] is Status.VIOLATED
    assert {verdicts[name] for name in ("no_duplicates", "order_per_producer", "log_agrees")} == {Status.HOLDS}


def test_recheck_leaves_out_what_the_history_does_not_speak_of() -> None:
    recorded = history([op("c1", "add", 1), op("observer", "final-read", at=9, result=[1])])
    assert [one.guarantee for one in recheck(recorded)] == [
        "acked_writes_survive",
        "no_phantom_writes",
        "no_duplicates",
    ]


def test_recheck_judges_all_that_are_named(recorded: History) -> None:
    names = ["counts_match", "recovers_within(5s)", "acked_writes_survive[c1]", "recovers_within(0.5s)[c1]"]
    names += ["mutual_exclusion[c1,c2]", "recovers{write}", "recovers_within(1.5s){acquire}[c1]"]
    assert [one.guarantee for one in recheck(recorded, names)] == names


@pytest.mark.parametrize(
    "name",
    ["", "nothing", "counts_match_within(3s)", "recovers_within(xs)", "recovers[", "[c1]", "recovers_within(1.2.3s)"],
)
def test_unknown_name_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match=r"there are: acked_writes_survive, .*recovers_within"):
        guarantee_named(name)


def test_bounded_guarantee_is_found_by_the_name_that_its_verdicts_show() -> None:
    for name, within in BOUNDED.items():
        assert guarantee_named(within(2.5).name).name == f"{name}_within(2.5s)"


def test_refusal_of_a_name_lists_every_guarantee() -> None:
    with pytest.raises(UsageError) as refused:
        guarantee_named("nothing")
    bounded = ", ".join(f"{name}_within(…s)" for name in BOUNDED)
    assert str(refused.value) == f"there is no guarantee 'nothing'; there are: {', '.join(GUARANTEES)}, {bounded}"
