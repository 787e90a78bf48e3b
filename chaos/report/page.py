"""
One finished run as one screen of HTML: the lesson, what held and what broke, the witness in words, the picture.

Allure strips scripts, style sheets and inline SVG from a description and keeps inline styles, tables, ``<details>`` and
images from ``data:`` addresses; so that is what this page is made of.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from chaos.judgement import FinishedRun, Judged
from chaos.report import replication, timeline
from chaos.report.words import amount, cut, measure_words, operation_words, safe
from chaos.verdict import Status, Witness

# Filled, with a word: coloured text alone is unreadable on one of the two themes. White on these two has 5:1 and more.
_BADGES = {
    Status.HOLDS: ("#00734F", "#fff"),
    Status.VIOLATED: ("#B34700", "#fff"),
    Status.UNKNOWN: ("#E69F00", "#000"),
}
_CELL = "padding:4px 8px;border:1px solid #8888;text-align:left;vertical-align:top;white-space:normal"
# Allure's own style makes a table as wide as its longest line and cuts it off; as a plain table its cells wrap.
_TABLE = "display:table;width:auto;max-width:100%;border-collapse:collapse"
_WITNESS_OPERATIONS = 6
_SETTING_LENGTH = 4_000

HEADINGS = ("guarantee", "expected", "verdict", "measures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One guarantee's line in a verdict table, as plain text."""

    guarantee: str
    expected: str
    verdict: str
    measures: str
    met: bool


def terminal_table(judged: Iterable[Judged]) -> tuple[Row, ...]:
    """The verdict table as data for the terminal: what differs from its expectation first, then what broke, then the rest."""
    return tuple(
        Row(
            guarantee=one.verdict.guarantee,
            expected=one.expected,
            verdict=one.verdict.status.value,
            measures=_measures(one),
            met=one.met,
        )
        for one in _telling_first(judged)
    )


def description(run: FinishedRun) -> str:
    """All that a reader needs first, as the HTML of a test's description."""
    parts = [f"<p><b>{safe(run.lesson)}</b></p>"]
    if run.error:
        parts.append(f"<p>{_badge('not judged', *_BADGES[Status.UNKNOWN])} {safe(run.error)}</p>")
    if run.judged:
        parts.append(_table(run.judged))
    parts += _witnesses(run)
    parts += [
        _picture(timeline.timeline(run.history), timeline.summary(run.history)),
        _replication(run),
        _details("Topology and settings", _settings(run.settings)),
        _details("This run", _facts(run)),
    ]
    return "\n".join(part for part in parts if part)


def _telling_first(judged: Iterable[Judged]) -> list[Judged]:
    return sorted(judged, key=lambda one: (one.met, one.verdict.status is not Status.VIOLATED))


def _measures(one: Judged) -> str:
    """Numbers if there are any; where the expectation was missed or nothing was measured, the reason in words."""
    numbers = ", ".join(measure_words(*item) for item in one.verdict.measures.items())
    if one.verdict.status is Status.UNKNOWN or not numbers:
        return cut(one.verdict.reason, 160)
    if one.problem and one.verdict.status.value == one.expected.split(" ")[0]:
        return f"{numbers}; {one.problem}"
    return numbers


def _table(judged: Sequence[Judged]) -> str:
    head = "".join(f'<th style="{_CELL}">{heading.capitalize()}</th>' for heading in HEADINGS)
    body = "".join(
        _table_row(one, row) for one, row in zip(_telling_first(judged), terminal_table(judged), strict=True)
    )
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _table_row(one: Judged, row: Row) -> str:
    seen = _badge(row.verdict, *_BADGES[one.verdict.status])
    agrees = "as expected" if one.met else "<b>not as expected</b>"
    cells = (
        _breakable(row.guarantee),
        _breakable(row.expected),
        f"{seen}<br><small>{agrees}</small>",
        safe(row.measures),
    )
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _breakable(name: str) -> str:
    """A name that may break after an underscore, where a screen is narrow."""
    return safe(name).replace("_", "_<wbr>")


def _badge(word: str, fill: str, ink: str) -> str:
    style = f"background:{fill};color:{ink};padding:1px 8px;border-radius:9px;font-weight:bold;white-space:nowrap"
    return f'<span style="{style}">{safe(word)}</span>'


def _witnesses(run: FinishedRun) -> Iterable[str]:
    for one in _telling_first(run.judged):
        if one.verdict.witness:
            yield _witness(run, one.verdict.guarantee, one.verdict.witness)


def _witness(run: FinishedRun, guarantee: str, witness: Witness) -> str:
    lines = [operation_words(operation, run.history) for operation in islice(witness.operations, _WITNESS_OPERATIONS)]
    if len(witness.operations) > _WITNESS_OPERATIONS:
        lines.append(f"… and {len(witness.operations) - _WITNESS_OPERATIONS:,} more operations in the history.")
    items = "".join(f"<li>{safe(line)}</li>" for line in lines)
    named = witness.anomaly if len(run.judged) == 1 else f"{witness.anomaly} ({guarantee})"
    return (
        f'<div style="border-left:4px solid {_BADGES[Status.VIOLATED][0]};padding-left:10px;margin:10px 0">'
        f"<b>Witness, {safe(named)}:</b> {safe(witness.sentence)}" + (f"<ul>{items}</ul>" if items else "") + "</div>"
    )


def _picture(picture: bytes, alternative: str) -> str:
    data = base64.b64encode(picture).decode()
    # Never narrower than its text can be read; a small screen scrolls sideways.
    return (
        '<div style="overflow-x:auto;margin:12px 0">'
        f'<img alt="{safe(alternative)}" style="width:100%;min-width:720px" src="data:image/svg+xml;base64,{data}"></div>'
    )


def _replication(run: FinishedRun) -> str:
    picture = replication.replication(run.history)
    if picture is None:
        return ""
    return f"<p>{safe(replication.CAPTION)}</p>" + _picture(picture, replication.summary(run.history))


def _settings(settings: Mapping[str, object]) -> str:
    return "".join(f"<p><b>{safe(system)}</b></p>{_setting(value)}" for system, value in settings.items())


def _setting(value: object) -> str:
    if not isinstance(value, Mapping):
        return f"<pre>{safe(_long(_plain(value)))}</pre>"
    rows = "".join(
        f'<tr><td style="{_CELL}">{safe(name)}</td>'
        f'<td style="{_CELL}"><pre style="margin:0;white-space:pre-wrap">{safe(_long(_plain(item)))}</pre></td></tr>'
        for name, item in value.items()
    )
    return f'<div style="overflow-x:auto"><table style="{_TABLE}"><tbody>{rows}</tbody></table></div>'


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, default=str, ensure_ascii=False)


def _long(text: str) -> str:
    if len(text) <= _SETTING_LENGTH:
        return text
    return f"{text[:_SETTING_LENGTH]}\n… {len(text) - _SETTING_LENGTH:,} more characters in the attachment"


def _facts(run: FinishedRun) -> str:
    header = run.history.header
    lasted = (header.ended_ns - header.started_ns) / 1e9
    facts = [f"seed {run.seed}", f"provider {run.provider or 'unnamed'}", f"{len(run.history.operations):,} operations"]
    if lasted > 0:
        facts.append(f"{amount(lasted)} s")
    again = f"<br>Judge it again: <code>chaos recheck {safe(run.history_file)}</code>" if run.history_file else ""
    return f"<p>{safe(', '.join(facts))}{again}</p>"


def _details(title: str, inner: str) -> str:
    return f"<details><summary><b>{safe(title)}</b></summary>{inner}</details>" if inner else ""
