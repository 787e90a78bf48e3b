"""
Leases, sessions and logs: random histories, and the promise said once more for every pair of operations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from random import Random
from typing import Any

from chaos.history import Operation, Outcome

OK, INFO, FAIL = Outcome.OK, Outcome.INFO, Outcome.FAIL


def clients(rng: Random, size: int) -> Iterator[tuple[int, str, int, int]]:
    """Index, client, begin and end; each client does one thing at a time, and stamps may be equal."""
    free = {f"c{n}": rng.randint(0, 4) for n in range(rng.randint(1, 3))}
    for index in range(size):
        client = rng.choice(list(free))
        begin = free[client] + rng.randint(0, 4)
        end = begin + rng.randint(0, 6)
        free[client] = end + rng.randint(0, 3)
        yield index, client, begin, end


def leases(rng: Random) -> list[Operation]:
    """Acquires with tokens and expiries that fit together more often than not."""
    found, token = list[Operation](), 0
    for index, client, begin, end in clients(rng, rng.randint(1, 7)):
        f = rng.choice(("acquire", "acquire", "release"))
        outcome = rng.choice((OK, OK, OK, INFO))
        result: Any = None
        if f == "acquire" and outcome is OK:
            token += rng.choice((0, 1, 1, 1, 2)) if rng.random() < 0.9 else -1
            expires = end + rng.randint(0, 12)
            result = rng.choice((token, {"token": token, "expires_ns": expires}, {"expires_ns": expires}))
        found.append(
            Operation(
                index=index, client=client, f=f, invoked_ns=begin, completed_ns=end, outcome=outcome, result=result
            )
        )
    return sorted(found, key=lambda each: each.invoked_ns)


def leases_fit(operations: Sequence[Operation]) -> bool:
    """No two beliefs overlap; tokens grow from one acquire to a later one."""
    acquired = [each for each in operations if each.f == "acquire" and each.ok]
    spans = [(done(each), _until(each, operations)) for each in acquired]
    if any(max(a, c) < min(b, d) for (a, b), (c, d) in combinations(spans, 2)):
        return False
    tokens = [(each, _token(each)) for each in acquired]
    known = [(each, token) for each, token in tokens if token is not None]
    if len({token for _, token in known}) < len(known):
        return False
    return not any(done(one) < two.invoked_ns and t2 <= t1 for (one, t1), (two, t2) in permutations(known, 2))


def done(each: Operation) -> int:
    """When it completed."""
    assert each.completed_ns is not None
    return each.completed_ns


def _until(acquire: Operation, operations: Sequence[Operation]) -> float:
    place = operations.index(acquire)
    ends = [each.invoked_ns for each in operations[place + 1 :] if each.client == acquire.client][:1]
    if isinstance(acquire.result, dict):
        ends.append(acquire.result["expires_ns"])
    return min(ends, default=float("inf"))


def _token(each: Operation) -> int | None:
    return each.result.get("token") if isinstance(each.result, dict) else each.result


def sessions(rng: Random) -> list[Operation]:
    """Reads and writes with versions that mostly grow."""
    found, version = list[Operation](), 0
    for index, client, begin, end in sorted(clients(rng, rng.randint(1, 7)), key=lambda line: line[3]):
        f = rng.choice(("read", "write"))
        if f == "write":
            version += rng.choice((1, 1, 1, 1, 0))
        seen = version if f == "write" or rng.random() < 0.7 else rng.randint(0, version)
        result = [seen or None, (seen * 10 if rng.random() < 0.97 else 7) if seen else None]
        outcome = rng.choice((OK,) * 5 + (INFO,))
        found.append(
            Operation(
                index=index,
                client=client,
                f=f,
                value=result[1] if f == "write" else None,
                invoked_ns=begin,
                completed_ns=end,
                outcome=outcome,
                result=result if outcome is OK else None,
            )
        )
    return sorted(found, key=lambda each: each.invoked_ns)


def sessions_kept(operations: Sequence[Operation]) -> bool:
    """Every pair of a client in order; every pair of the same version."""
    known = [each for each in operations if each.ok]
    for one, two in permutations(known, 2):
        first, second = one.result[0] or 0, two.result[0] or 0
        back = second < first or (two.f == "write" and second == first)
        if back and one.client == two.client and done(one) < two.invoked_ns:
            return False
        if first == second != 0 and (one.result[1] != two.result[1] or one.f == two.f == "write"):
            return False
    return True


def logs(rng: Random) -> list[Operation]:
    """A log, its producers and its consumers; then perhaps a record is changed."""
    log = {"x": list[int](), "y": list[int]()}
    places: dict[tuple[str, str], int] = {}
    found: list[Operation] = []
    for index, client, begin, end in sorted(clients(rng, rng.randint(4, 16)), key=lambda line: line[3]):
        key, outcome = rng.choice("xxy"), rng.choice((OK,) * 5 + (INFO, FAIL))
        f = rng.choice(("send", "send", "poll", "poll", "assign"))
        value: Any = None
        result: Any = None
        if f == "assign":
            places = {place: at for place, at in places.items() if place[0] != client}
        elif f == "send":
            value = [key, index]
            if outcome is not FAIL or rng.random() < 0.1:
                log[key].append(index)
            result = [key, [len(log[key]) - 1, index]]
        else:
            at = places.get((client, key), rng.randint(0, len(log[key])))
            taken = log[key][at : at + rng.randint(0, 3)]
            result = {key: [[at + n, each] for n, each in enumerate(taken)]}
            if outcome is OK:
                places[(client, key)] = at + len(taken)
        found.append(
            Operation(
                index=index,
                client=client,
                f=f,
                value=value,
                invoked_ns=begin,
                completed_ns=end,
                outcome=outcome,
                result=result if outcome is OK else None,
            )
        )
    if rng.random() < 0.5:
        _corrupt(rng, found)
    return sorted(found, key=lambda each: each.invoked_ns)


def _corrupt(rng: Random, found: list[Operation]) -> None:
    place = rng.randrange(len(found))
    each = found[place]
    if each.f == "poll" and each.ok and (records := next(iter(each.result.values()))):
        changed = [list(record) for record in records]
        number = rng.randrange(len(changed))
        if rng.random() < 0.5:
            changed[number][rng.randrange(2)] += rng.choice((1, -1, 2))
        else:
            del changed[number]
        found[place] = replace(each, result={next(iter(each.result)): changed})
    elif each.f == "send" and each.ok:
        key, (offset, value) = each.result
        found[place] = replace(each, result=[key, [offset + rng.choice((1, -1)), value]])


Record = tuple[Operation, str, int, int]
"""Who, key, offset, value."""


def logs_agree(operations: Sequence[Operation]) -> bool:
    """Every pair of records; every acknowledged one; every consumer from one record to the next."""
    sent = [(each, each.result[0], *each.result[1]) for each in operations if each.f == "send" and each.ok]
    polled = [
        (each, key, offset, value)
        for each in operations
        if each.f == "poll" and each.ok
        for key, records in each.result.items()
        for offset, value in records
    ]
    tried = {(each.value[0], each.value[1]): each for each in operations if each.f == "send"}
    for poll, key, _, value in polled:
        source = tried.get((key, value))
        if source is None or source.outcome is FAIL or done(poll) < source.invoked_ns:
            return False
    for (_, key, offset, value), (_, other, there, what) in combinations(sent + polled, 2):
        if key == other and (offset == there) is not (value == what):
            return False
    return _none_lost(sent, polled) and _producers(sent) and _consumers(operations, sent + polled)


def _none_lost(sent: Sequence[Record], polled: Sequence[Record]) -> bool:
    return not any(
        any(there > offset for _, other, there, _ in polled if other == key)
        and not any((other, what) == (key, value) for _, other, _, what in polled)
        for _, key, offset, value in sent
    )


def _producers(sent: Sequence[Record]) -> bool:
    return not any(
        one.client == two.client and key == other and done(one) < two.invoked_ns and there <= offset
        for (one, key, offset, _), (two, other, there, _) in permutations(sent, 2)
    )


def _consumers(operations: Sequence[Operation], records: Sequence[Record]) -> bool:
    for client in {each.client for each in operations}:
        at: dict[str, int] = {}
        for each in (each for each in operations if each.client == client):
            if each.f == "assign":
                at.clear()
            elif each.f == "poll" and each.ok:
                for key, polled in each.result.items():
                    for offset, _ in polled:
                        before = at.get(key)
                        if before is not None and offset <= before:
                            return False
                        if before is not None and any(
                            k == key and before < between < offset for _, k, between, _ in records
                        ):
                            return False
                        at[key] = offset
    return True
