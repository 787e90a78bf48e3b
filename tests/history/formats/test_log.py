"""
Jepsen's log lines, among all that a run logs.
"""

import pytest

from chaos.errors import HistoryFormatError
from tests.history.formats.ops import operations, reading

LOG = """INFO  jepsen.core - Worker 0 starting
INFO  jepsen.util - 0	:invoke	:read	nil
2015-01-02 12:00:00,123{GMT}	INFO	[jepsen worker 1] jepsen.util: 1	:invoke	:cas	[0 3]
INFO  jepsen.util - :nemesis	:info	:start	nil
java.net.SocketTimeoutException: Read timed out
INFO  jepsen.util - 0	:fail	:read	:timed-out
INFO  jepsen.util - 1	:info	:cas	[0 3]	:timed-out
INFO  jepsen.util - 0	:invoke	:write	5
INFO  jepsen.util - :nemesis	:info	:start	"Cut off {:n1 #{:n2}}"
INFO  jepsen.util - 0	:ok	:write	5
"""


def test_events_are_found_among_other_lines() -> None:
    found = reading(LOG)

    assert [str(each) for each in found.history.operations] == [
        "#0 process 0 read -> fail",
        "#1 process 1 cas [0, 3] -> info (timed-out)",
        "#2 process 0 write 5 -> ok 5",
    ]
    assert list(found.invoked) == [2, 3, 8]
    assert [each.kind for each in found.history.observations] == ["start", "start"]
    assert not found.timed


def test_last_line_without_an_end_is_taken_as_it_is() -> None:
    assert operations(LOG.rstrip("\n"))[-1] == "#2 process 0 write 5 -> ok 5"
    assert reading(LOG.rstrip("\n")).remarks == (
        "the last line has no end: it was taken as it is, and may be cut short",
    )
    assert reading(LOG).remarks == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("INFO  jepsen.util - 0	:ok	:wri", "cut short"),
        ("INFO  jepsen.util - 0	:ok", "cut short"),
        ("INFO  jepsen.util - 0", "damaged"),
        ("INFO  jepsen.util - 0	ok	:write	5", "damaged"),
        ("INFO  jepsen.util - 0	:ok	:write	[5", "not closed"),
        ("INFO  jepsen.util - 0	:ok	:write	5 6", "more than one value"),
    ],
)
def test_damaged_event_is_refused_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(HistoryFormatError, match=r"h, line 2.*") as refused:
        reading(f"INFO  jepsen.util - 0	:invoke	:write	5\n{line}\n")

    assert reason in str(refused.value)
