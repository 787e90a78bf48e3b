"""
Toxiproxy's toxics as checked values: what would crash or confuse the server is refused here, before it is sent.

Source: Shopify/toxiproxy 2.12, ``toxics/*.go``. Toxicity is always 1: the server draws it without a seed, so a share of
connections must be chosen by the experiment's own seed instead.
"""

from dataclasses import asdict, dataclass

from chaos.errors import UsageError


def _natural(name: str, value: int, *, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} must be a whole number of at least {least}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Delay each chunk by ``latency_ms`` ± ``jitter_ms`` from its arrival. Connecting itself is not delayed."""

    latency_ms: int
    jitter_ms: int = 0

    kind = "latency"

    def __post_init__(self) -> None:
        _natural("latency_ms", self.latency_ms)
        _natural("jitter_ms", self.jitter_ms)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"latency": self.latency_ms, "jitter": self.jitter_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Limit the rate; 0 stalls without loss: what is held arrives when the toxic goes. A negative rate panics the server."""

    rate_kb_s: int

    kind = "bandwidth"

    def __post_init__(self) -> None:
        _natural("rate_kb_s", self.rate_kb_s)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"rate": self.rate_kb_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """
    Read, acknowledge and throw away all bytes.

    With ``after_ms`` 0 the connection stays open until the toxic is removed, which closes every link of that direction;
    else it closes after that long without data (a busy link is never closed).
    """

    after_ms: int = 0

    kind = "timeout"

    def __post_init__(self) -> None:
        _natural("after_ms", self.after_ms)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"timeout": self.after_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer:
    """Close with a reset after the next chunk and ``after_ms``; an idle connection feels nothing."""

    after_ms: int = 0

    kind = "reset_peer"

    def __post_init__(self) -> None:
        _natural("after_ms", self.after_ms)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"timeout": self.after_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """Delay the end of a connection by ``delay_ms``; removing the toxic cancels the close."""

    delay_ms: int

    kind = "slow_close"

    def __post_init__(self) -> None:
        _natural("delay_ms", self.delay_ms)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"delay": self.delay_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer:
    """Cut chunks into pieces of ``average_bytes`` ± ``variation_bytes`` with ``delay_us`` (microseconds) between them."""

    average_bytes: int
    variation_bytes: int = 0
    delay_us: int = 0

    kind = "slicer"

    def __post_init__(self) -> None:
        _natural("average_bytes", self.average_bytes, least=1)
        _natural("variation_bytes", self.variation_bytes)
        _natural("delay_us", self.delay_us)
        if self.variation_bytes >= self.average_bytes:
            raise UsageError(
                f"variation_bytes ({self.variation_bytes}) must be below average_bytes ({self.average_bytes}): "
                "a piece of no bytes would never end"
            )

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"average_size": self.average_bytes, "size_variation": self.variation_bytes, "delay": self.delay_us}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData:
    """Close a connection after exactly ``limit_bytes`` of that direction: cuts a reply in the middle."""

    limit_bytes: int

    kind = "limit_data"

    def __post_init__(self) -> None:
        _natural("limit_bytes", self.limit_bytes)

    def attributes(self) -> dict[str, int]:
        """As the server names them."""
        return {"bytes": self.limit_bytes}


Toxic = Latency | Bandwidth | Timeout | ResetPeer | SlowClose | Slicer | LimitData


def describe(toxic: Toxic) -> str:
    """A toxic as reports name it: ``latency (latency_ms=300)``."""
    settings = ", ".join(f"{name}={value}" for name, value in asdict(toxic).items() if value)
    return f"{toxic.kind} ({settings})" if settings else toxic.kind
