"""
Histories as others publish them: each is judged right, and its twin with one answer changed is refuted, or it is refused
with a sentence and its line.
"""

from pathlib import Path

import pytest

from chaos import cli


def lines(*each: str) -> str:
    return "".join(f"{line}\n" for line in each)


def edn(*events: str) -> str:
    """``0 invoke read nil`` and so on, as EDN maps."""
    made = []
    for event in events:
        process, kind, f, value = event.split(" ", 3)
        made.append(f"{{:process {process}, :type :{kind}, :f :{f}, :value {value}}}")
    return lines(*made)


RECORDS = lines(
    "#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :write, :value 1}",
    '#jepsen.history.Op{:index 1, :time 6, :type :info, :process :nemesis, :f [:db :kill], :value {"n1" #{"n2"}}}',
    "#jepsen.history.Op{:index 2, :time 9, :type :ok, :process 0, :f :write, :value 1, :jepsen.core/note :x}",
    "#jepsen.history.Op{:index 3, :time 10, :type :invoke, :process 1, :f :read, :value nil}",
    "#jepsen.history.Op{:index 4, :time 12, :type :ok, :process 1, :f :read, :value 1}",
)
ERRORS = lines(
    "{:type :invoke, :f :write, :value :a/b, :process 0}",
    '{:type :info, :f :write, :value :timed-out, :process 0, :error #error {:cause "no" :via [] :at [a.B c -2]}}',
    "{:type :invoke, :f :write, :value 1/2, :process 5}",
    '{:type :info, :f :write, :process 5, :exception #object[java.lang.Object 0x4f2b503c "x"]}',
    "{:type :invoke, :f :write, :value \\c, :process 6}",
    '{:type :fail, :f :write, :value 17, :process 6, :error [:refused #inst "2020-01-01T00:00:00Z"]}',
    "{:type :invoke, :f :read, :process 1}",
    "{:type :ok, :f :read, :value :a/b, :process 1}",
    "{:type :invoke, :f :read, :process 1}",
    "{:type :ok, :f :read, :value 1/2, :process 1}",
)
REUSED = edn(
    "0 invoke write 1", "0 info write 1", "0 invoke write 2", "0 ok write 2",
    "1 invoke read nil", "1 ok read 1", "1 invoke read nil", "1 ok read 1",
)  # fmt: skip
LATE_ARGUMENT = edn("0 invoke write nil", "0 ok write 3", "1 invoke read nil", "1 ok read 3")
LATE_TXN = lines(
    "{:type :invoke, :value [[:append 1 2] [:r 1 nil]], :process 0}",
    "{:type :ok, :value [[:append 1 2] [:r 1 [2]]], :process 0}",
    "{:type :invoke, :f :txn, :value [[:append 1 3]], :process 1}",
    "{:type :info, :f :txn, :value nil, :process 1}",
    "{:type :invoke, :f :txn, :value [[:r 1 nil] [:r 9 nil]], :process 0}",
    "{:type :ok, :f :txn, :value [[:r 1 [2 3]] [:r 9 nil]], :process 0}",
)
MODERN_LOG = lines(
    "INFO [2019-01-18 12:26:14,466] main - jepsen.core Running test",
    "INFO [2019-01-18 12:26:14,466] jepsen worker 2 - jepsen.util 2\t:invoke\t:write\t1",
    'INFO [2019-01-18 12:26:14,467] jepsen nemesis - jepsen.util :nemesis\t:info\t:start\t[:isolated {"n1" #{"n2"}}]',
    'INFO [2019-01-18 12:26:14,468] jepsen worker 2 - jepsen.util 2\t:info\t:write\t1\tRead [timed out: "n1',
    "java.net.SocketTimeoutException: 3 :times",
    "INFO [2019-01-18 12:26:14,469] jepsen worker 3 - jepsen.util 3\t:invoke\t:read\tnil",
    "INFO [2019-01-18 12:26:14,470] jepsen worker 3 - jepsen.util 3\t:ok\t:read\t1",
    "INFO [2019-01-18 12:26:14,471] jepsen worker 3 - jepsen.util 3\t:invoke\t:cas\t[1 2]",
    "INFO [2019-01-18 12:26:14,472] jepsen worker 3 - jepsen.util 3\t:fail\t:cas\t[1 2]",
)
OLD_LOG = lines(
    "INFO  jepsen.util - 0 :invoke :read nil",
    "INFO  jepsen.util - 0 :fail :read :timed-out",
    "INFO  jepsen.util - 1 :invoke :write 3",
    "INFO  jepsen.util - 1 :info :write 3 :timed-out",
    "INFO  jepsen.util - 0 :invoke :read nil",
    "INFO  jepsen.util - 0 :ok :read 3",
)
HISTORY_TXT = lines(
    "0\t:invoke\t:write\t1",
    ":nemesis\t:info\t:start\tnil",
    "0\t:ok\t:write\t1",
    "1\t:invoke\t:read\tnil",
    "1\t:ok\t:read\t1",
)
MUTEX = edn(
    "0 invoke acquire nil", "0 ok acquire {:uid 7}", "1 invoke acquire nil", "1 fail acquire :taken",
    "0 invoke release nil", "0 ok release :released", "1 invoke acquire nil", "1 info acquire :quorum",
    "2 invoke acquire nil", "2 ok acquire nil",
)  # fmt: skip
SET = edn("0 invoke add 1", "0 ok add 1", "1 invoke add 2", "1 info add 2", "0 invoke read nil", "0 ok read #{1 2}")
COUNTER = edn("0 invoke add 2", "0 ok add 2", "1 invoke add 1/2", "1 ok add 1/2", "0 invoke read nil", "0 ok read 5/2")
DRAINED = edn(
    "0 invoke enqueue 1", "0 ok enqueue 1", "1 invoke enqueue 2", "1 info enqueue :timeout",
    "2 invoke drain nil", "2 invoke dequeue nil", "2 ok dequeue 1", "2 invoke dequeue nil", "2 ok dequeue 2",
    "2 invoke dequeue nil", "2 fail dequeue :exhausted", "2 ok drain :exhausted",
)  # fmt: skip

GOOD_AND_BAD = [
    ("records", "register", RECORDS, ":f :read, :value 1}", ":f :read, :value 2}"),
    ("errors", "register", ERRORS, ":ok, :f :read, :value :a/b", ":ok, :f :read, :value \\c"),
    ("a process goes on after info", "register", REUSED, ":ok, :f :read, :value 1", ":ok, :f :read, :value 9"),
    ("argument chosen late", "register", LATE_ARGUMENT, ":f :read, :value 3", ":f :read, :value 4"),
    ("transactions without f", "list-append", LATE_TXN, "[2 3]", "[3 2 2]"),
    ("log with time and thread", "cas-register", MODERN_LOG, ":ok\t:read\t1", ":ok\t:read\t2"),
    ("log of old", "register", OLD_LOG, ":ok :read 3", ":ok :read 4"),
    ("history.txt", "register", HISTORY_TXT, ":ok\t:read\t1", ":ok\t:read\tnil"),
    ("mutex", "mutex", MUTEX, ":type :fail, :f :acquire", ":type :ok, :f :acquire"),
    ("set", "set", SET, "#{1 2}", "#{2}"),
    ("counter of ratios", "counter", COUNTER, "5/2", "3/2"),
    (
        "drain that records its dequeues",
        "total-queue",
        DRAINED,
        ":ok, :f :dequeue, :value 1",
        ":fail, :f :dequeue, :value 1",
    ),
    ("drain that records its dequeues", "queue", DRAINED, ":ok, :f :dequeue, :value 1", ":ok, :f :dequeue, :value 3"),
]


@pytest.mark.parametrize(("model", "good", "right", "wrong"), [each[1:] for each in GOOD_AND_BAD])
def test_published_shape_is_judged_right_and_its_twin_is_refuted(
    model: str, good: str, right: str, wrong: str, tmp_path: Path
) -> None:
    file = tmp_path / "history"
    file.write_text(good)
    assert cli.main(["recheck", str(file), "--model", model]) == 0

    assert right in good
    file.write_text(good.replace(right, wrong))
    assert cli.main(["recheck", str(file), "--model", model]) == 1


@pytest.mark.parametrize(
    ("model", "text", "line", "reason"),
    [
        ("register", edn("0 ok write 1"), 1, "has nothing open"),
        ("register", edn("0 invoke read nil", "0 ok read 1", "3 info write 1"), 3, "has nothing open"),
        ("register", edn("0 invoke read nil", "0 invoke dequeue nil"), 2, "is open"),
        ("queue", edn("0 invoke drain nil", "0 invoke enqueue 1"), 2, "is open"),
        ("cas-register", edn("0 invoke cas {:old 1}", "0 ok cas 1"), 1, "a cas needs [expected, new]"),
        ("total-queue", edn("0 invoke drain nil", "0 ok drain :exhausted"), 1, "a drain returns a list"),
        ("list-append", lines("{:type :ok, :process 0, :value [[:append 1 2]]}"), 1, "has nothing open"),
        ("list-append", edn("0 invoke txn [[:w 1 2]]", "0 ok txn [[:w 1 2]]"), 1, "append"),
        (
            "register",
            edn("0 invoke write nil", "0 ok write 3", "1 invoke write nil", "1 info write nil"),
            3,
            "nobody knows what it did",
        ),
        ("register", lines("INFO  jepsen.core - Running", "INFO  jepsen.util - hello"), 3, "no line of it was"),
        ("register", "0\t:invoke\t:write\t1\n0\t:ok\t:wri", 2, "cut short"),
        ("register", "0\t:invoke\t:write\t1\n0\t:ok\t:write\t[1", 2, "not closed"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_line(
    model: str, text: str, line: int, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history"
    file.write_text(text)

    assert cli.main(["recheck", str(file), "--model", model]) == 3
    said = capsys.readouterr().err
    assert f", line {line}" in said
    assert reason in said


def test_ops_that_were_never_numbered_are_taken_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """Jepsen's ops have the index -1 until they are part of a history; other disorder is refused."""
    file = tmp_path / "history"
    file.write_text(edn("0 invoke write 1", "0 ok write 1").replace("}", ", :index -1}"))
    assert cli.main(["recheck", str(file), "--model", "register"]) == 0
    file.write_text(edn("0 invoke write 1", "0 ok write 1").replace("}", ", :index 0}"))
    assert cli.main(["recheck", str(file), "--model", "register"]) == 3


def test_a_history_without_operations_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history"
    file.write_text(edn(":nemesis info start nil"))

    assert cli.main(["recheck", str(file), "--model", "register"]) == 2
    assert "there is no operation in it" in capsys.readouterr().out


def test_a_set_that_nobody_read_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether what was added is in it is not known; a read that failed is none."""
    file = tmp_path / "history"
    adds = ["0 invoke add 1", "0 ok add 1", "1 invoke read nil", "1 fail read nil"]
    file.write_text(edn(*adds))
    assert cli.main(["recheck", str(file), "--model", "set"]) == 2
    assert "nobody read the set" in capsys.readouterr().out
    file.write_text(edn(*adds, "1 invoke look nil", "1 ok look [1]"))
    assert cli.main(["recheck", str(file), "--model", "set", "--name", "look=read"]) == 0


def test_values_that_look_keyed_are_remarked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history"
    file.write_text(
        edn(
            "0 invoke write [1 5]", "0 ok write [1 5]", "0 invoke write [2 6]", "0 ok write [2 6]",
            "0 invoke read [1 nil]", "0 ok read [1 5]",
        )
    )  # fmt: skip

    assert cli.main(["recheck", str(file), "--model", "register"]) == 1
    assert "--by-key" in capsys.readouterr().out
    assert cli.main(["recheck", str(file), "--model", "register", "--by-key"]) == 0


def test_late_arguments_of_keys_are_taken_too(tmp_path: Path) -> None:
    file = tmp_path / "history"
    good = edn("0 invoke write [1 nil]", "0 ok write [1 5]", "0 invoke read [1 nil]", "0 ok read [1 5]")
    file.write_text(good)
    assert cli.main(["recheck", str(file), "--model", "register", "--by-key"]) == 0
    file.write_text(good.replace(":f :read, :value [1 5]", ":f :read, :value [1 6]"))
    assert cli.main(["recheck", str(file), "--model", "register", "--by-key"]) == 1


def test_every_key_of_a_set_must_have_been_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or nothing was acknowledged that it could have lost."""
    path = tmp_path / "history.edn"
    read = ["0 invoke add [1 5]", "0 ok add [1 5]", "0 invoke read [1 nil]", "0 ok read [1 [5]]"]
    crashed = ["1 invoke add [2 6]", "1 info add [2 6]"]
    path.write_text(edn(*read, *crashed))
    assert cli.main(["recheck", str(path), "--model", "set", "--by-key"]) == 0
    path.write_text(edn(*read, *crashed, "3 invoke add [2 6]", "3 ok add [2 6]"))
    assert cli.main(["recheck", str(path), "--model", "set", "--by-key"]) == 2
    assert "nobody read the set of key 2" in capsys.readouterr().out


def test_ops_that_name_their_key_are_judged_key_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether or not that is asked for; the output says so."""
    path = tmp_path / "history.txt"
    asked = [
        '{:process 4, :type :invoke, :f :append, :key "6", :value "x 4 0 y"}',
        '{:process 4, :type :ok, :f :append, :key "6", :value "x 4 0 y"}',
        '{:process 2, :type :invoke, :f :get, :key "5", :value nil}',
        '{:process 2, :type :ok, :f :get, :key "5", :value ""}',
        '{:process 2, :type :invoke, :f :get, :key "6", :value nil}',
    ]
    for options in ([], ["--by-key"]):
        path.write_text(lines(*asked, '{:process 2, :type :ok, :f :get, :key "6", :value "x 4 0 y"}'))
        assert cli.main(["recheck", str(path), "--model", "text", *options]) == 0
        assert "note: each op names its key, so each key is an object of its own" in capsys.readouterr().out
        path.write_text(lines(*asked, '{:process 2, :type :ok, :f :get, :key "6", :value ""}'))
        assert cli.main(["recheck", str(path), "--model", "text", *options]) == 1
