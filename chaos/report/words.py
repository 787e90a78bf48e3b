"""
How numbers, measures and operations read in every report: the same words in HTML, SVG and on the terminal.
"""

import html
import re

from chaos.history.records import History, Operation, Outcome

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNITS = {"s": "s", "ms": "ms", "us": "µs", "count": "", "share": "%", "bytes": "bytes", "hz": "per s"}
_HARM = re.compile(
    r"lost|phantom|foreign|stolen|stale|duplicat|overlap|window|outage|downtime|unavailable|recover|after|gap|latency|delay"
)

_OUTCOMES = {
    Outcome.OK: "acknowledged",
    Outcome.FAIL: "refused, so it did not happen,",
    Outcome.INFO: "no answer, so it may have happened,",
}


def safe(text: object) -> str:
    """Text for HTML and XML: markup escaped, characters that XML forbids (control codes, lone surrogates) replaced."""
    return html.escape(_ILLEGAL.sub("\ufffd", str(text)), quote=True)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and end around an ellipsis: names differ at either end."""
    if len(text) <= longest:
        return text
    tail = max(0, (longest - 1) // 3)
    return text[: max(0, longest - 1 - tail)].rstrip() + "…" + (text[-tail:] if tail else "")


def amount(value: float) -> str:
    """A number as a reader wants it: whole ones whole, others with three digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def unit_of(measure: str) -> tuple[str, str]:
    """A measure's name split into what it is and its unit: ``lost_window_s`` is a "lost window" in "s"."""
    stem, _, suffix = measure.rpartition("_")
    if stem and suffix in _UNITS:
        return (measure if suffix == "share" else stem).replace("_", " "), _UNITS[suffix]
    return measure.replace("_", " "), ""


def scaled(measure: str, value: float) -> float:
    """The value in the unit that ``unit_of`` names: shares become percent."""
    return value * 100 if unit_of(measure)[1] == "%" else value


def is_harm(measure: str) -> bool:
    """Whether less of it is better; of the other measures we do not know."""
    return bool(_HARM.search(measure))


def measure_words(measure: str, value: float) -> str:
    """One measure: ``lost_window_s`` of 4.2 reads "lost window 4.2 s", ``lost_count`` of 137 reads "137 lost"."""
    stem, unit = unit_of(measure)
    if measure.endswith("_count"):
        return f"{amount(value)} {stem}"
    if unit == "s" and 0 < value < 0.01:
        return f"{stem} {seconds(value)}"
    return f"{stem} {amount(scaled(measure, value))} {unit}".rstrip()


def seconds(value: float) -> str:
    """A stretch of time: microseconds, milliseconds or seconds, whichever reads best."""
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    if value < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.2f} s"


def operation_words(operation: Operation, history: History, *, longest: int = 80) -> str:
    """One operation as a sentence with its times: who asked what, when, and what came back."""
    asked = operation.f if operation.value is None else f"{operation.f} {cut(str(operation.value), longest)}"
    line = f"At {history.seconds(operation.invoked_ns):.3f} s {operation.client} asked {asked}: "
    if operation.completed_ns is None:
        return f"{line}it never got an answer, so it may have happened."
    took = seconds((operation.completed_ns - operation.invoked_ns) / 1e9)
    line += f"{_OUTCOMES[operation.outcome]} after {took}"
    if operation.result is not None:
        line += f", with {cut(str(operation.result), longest)}"
    return f"{line} ({cut(operation.error, longest)})." if operation.error else f"{line}."


def moment(history: History, at_ns: int) -> str:
    """A stamp in seconds since the run began; short runs get a second digit."""
    short = history.header.ended_ns - history.header.started_ns < 10_000_000_000
    return f"{history.seconds(at_ns):.{2 if short else 1}f}"
