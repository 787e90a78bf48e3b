"""
Judge a saved history again, without any server: its verdicts, witnesses and measures.

Our own histories are judged by the guarantees that apply. Any history - Jepsen's EDN or log, op maps as JSON, our own -
is judged as the type of object that --model names; docs/recheck.md says what each type accepts.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chaos.cli import exits
from chaos.cli.recheck_said import as_json, show
from chaos.cli.terminal import progress, say_json
from chaos.errors import UsageError

if TYPE_CHECKING:
    from chaos.history import History
    from chaos.history.source import Source
    from chaos.verdict import Verdict

LARGE_BYTES = 4 << 20
HELP = "judge a saved history again"


def options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", metavar="HISTORY", help="a history, gzipped or not; - is standard input")
    parser.add_argument(
        "-g",
        "--guarantee",
        action="append",
        metavar="NAME",
        help="judge our own history by this guarantee; may be given again (default: all that apply)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--export", metavar="FILE", help="also write the history as Jepsen EDN")
    model = parser.add_argument_group("as an object of some type")
    model.add_argument("--model", metavar="TYPE", help="register, cas-register, queue, ...; a wrong one lists them all")
    model.add_argument(
        "--initial", type=_value, metavar="V", help="the value before the first operation (default: nil)"
    )
    model.add_argument("--by-key", action="store_true", help="values are pairs [key value], each key is an object")
    model.add_argument("--budget-s", type=_budget, default=60.0, metavar="N", help="then unknown (default: 60)")
    model.add_argument(
        "--failed-cas",
        choices=("dropped", "mismatch"),
        default="dropped",
        help="a failed cas says nothing, or that it met another value than the expected one (default: dropped)",
    )
    model.add_argument(
        "--name",
        action="append",
        type=_name,
        default=[],
        metavar="F=NAME",
        help="operations F of the file are NAME of the type; may be given again",
    )


def main(options: argparse.Namespace) -> int:
    """Judge and say; violated is 1, unknown is 2."""
    from chaos.history.source import opened

    if isinstance(sys.stdout, io.TextIOWrapper):  # Foreign texts may hold what no encoding has: halves of pairs.
        sys.stdout.reconfigure(errors="backslashreplace")
    if options.model and options.guarantee:
        raise UsageError(
            "a history is judged by guarantees (-g) or as the type of an object (--model), not by both at once"
        )
    with opened(options.file) as source:
        return _by_model(options, source) if options.model else _by_guarantees(options, source)


@contextmanager
def _telling(source: "Source") -> Iterator[None]:
    """At a terminal, how far a large file has been read; what comes after that is the judging."""
    size = None if source.path is None else source.path.stat().st_size
    if not sys.stderr.isatty() or (size is not None and size < LARGE_BYTES):
        yield
        return
    with progress(f"chaos recheck {source.name}") as tell:
        source.told = lambda read: tell(f"{read / 1e6:,.0f} MB read, then judged")
        yield


def exit_code(verdicts: "Sequence[Verdict]") -> int:
    """The worst verdict decides; no verdict at all is unknown."""
    from chaos.verdict import Status

    said = {verdict.status for verdict in verdicts}
    if Status.VIOLATED in said:
        return exits.NOT_KEPT
    return exits.FINE if said == {Status.HOLDS} else exits.UNKNOWN


def _by_guarantees(options: argparse.Namespace, source: "Source") -> int:
    from chaos.guarantees.recheck import recheck
    from chaos.history.archive import load_from
    from chaos.history.formats.recognition import ARCHIVE, recognise

    form = recognise(source.peek(), source.name)
    if form != ARCHIVE:
        from chaos.cli.recheck_model import models

        raise UsageError(f"{source.name} is {form}: say with --model what it is a history of; there are {models()}")
    with _telling(source):
        history = load_from(source)
    _export(options, history)
    verdicts = recheck(history, options.guarantee)
    if options.json:
        say_json([as_json(verdict) for verdict in verdicts])
    else:
        show(history, verdicts)
    return exit_code(verdicts)


def _by_model(options: argparse.Namespace, source: "Source") -> int:
    from chaos.cli.recheck_model import Question, ask

    question = Question(
        model=options.model,
        initial=options.initial,
        by_key=options.by_key,
        budget_s=options.budget_s,
        failed_cas=options.failed_cas,
        names=dict(options.name),
    )
    with _telling(source):
        answer = ask(source, question, whole=bool(options.export))
    if answer.history is not None:
        _export(options, answer.history)
    if options.json:
        say_json([answer.as_json()])
    else:
        answer.show()
    return exit_code([answer.verdict])


def _export(options: argparse.Namespace, history: "History") -> None:
    if options.export:
        from chaos.history.formats.export import save_edn

        save_edn(history, options.export)


def _value(text: str) -> object:
    """A value as JSON or as EDN."""
    from chaos.history.formats.edn import parse

    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        (value,) = parse(text, "--initial")
    except (ValueError, UsageError) as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is no value, neither in JSON nor in EDN") from problem
    return value


def _budget(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _name(text: str) -> tuple[str, str]:
    foreign, equals, own = (part.strip().removeprefix(":") for part in text.partition("="))
    if not (foreign and equals and own):
        raise argparse.ArgumentTypeError(f"{text!r} is not F=NAME")
    return foreign, own
