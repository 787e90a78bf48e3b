"""
redis-py as workloads use it: one pinned connection, no retries, every stage with its own meaning.

The library's own defaults (ten retries of every command on a lost connection or a timeout, redis-py 8) turn one INCR
into up to eleven and hide acknowledged losses, so they are off here; ``DefaultRetries`` keeps them, to be studied.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.retry import Retry
from redis.sentinel import Sentinel

from chaos.errors import UsageError
from chaos.history.records import Value
from chaos.workloads.outcomes import OutcomeTable, Refused, Rule
from chaos.workloads.worker import Completed, Worker

Argument = str | int | float | bytes
Reply = Any

TIMEOUT_S = 0.5
CALM_PACE_S = 0.02
"""The least pause after an operation that was not acknowledged: a refused connect costs nothing and would spin."""

_REFUSALS = (
    exceptions.BusyLoadingError,  # LOADING: a subclass of the library's ConnectionError, so it stands before that.
    exceptions.AuthenticationError,  # NOAUTH, WRONGPASS
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,  # MASTERDOWN is a subclass
    exceptions.AskError,  # MOVED is a subclass
    exceptions.TryAgainError,
    exceptions.ClusterCrossSlotError,
    exceptions.ExecAbortError,
    exceptions.NoScriptError,
    exceptions.WatchError,
)
_REFUSING_PREFIXES = (
    "NOREPLICAS",
    "MISCONF",
    "WRONGTYPE",
    "BUSY",
    "READONLY",
    "OOM",
    "LOADING",
    "MASTERDOWN",
    "NOAUTH",
)


def _refused_in_script(problem: Exception) -> bool:
    """Before Redis 7 a script's refused write hides its prefix: ``Error running script (...): @user_script: 2: -OOM ...``."""
    text = str(problem)
    return text.startswith("Error running script") and any(f"-{prefix} " in text for prefix in _REFUSING_PREFIXES)


REDIS_OUTCOMES: OutcomeTable = (
    *(Rule(kind, "fail") for kind in _REFUSALS),
    *(Rule(exceptions.ResponseError, "fail", prefix) for prefix in _REFUSING_PREFIXES),
    Rule(exceptions.ResponseError, "fail", _refused_in_script),
    Rule(exceptions.ResponseError, "info", "UNBLOCKED"),  # A blocked WAIT on a master that became a replica.
    Rule(exceptions.ConnectionError, "fail", "max number of clients reached"),
    Rule(exceptions.TimeoutError, "info"),
    Rule(exceptions.ConnectionError, "info"),
)
"""What redis-py's exceptions say of a command that was sent. Anything else (``ERR ...``) is the workload's mistake."""


class NotSent(Refused):
    """No connection, so the command never left: it definitely did not happen."""


def split(address: str) -> tuple[str, int]:
    """``host:port`` as its two parts."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"an address is host:port, not {address!r}")
    return host, int(port)


class Commands(Protocol):
    """How a workload talks to Redis."""

    @property
    def address(self) -> str | None:
        """Where the last command went; None before the first."""
        ...

    def execute(self, *command: Argument) -> Reply:
        """Send one command and return its reply; ``NotSent`` when there was no connection to send it on."""
        ...

    def together(self, *commands: Sequence[Argument]) -> list[Reply]:
        """Send commands in one piece on the connection of the last command; ``NotSent`` when that is gone."""
        ...


class Pinned:
    """One connection to one address; reconnects there, and nowhere else."""

    def __init__(self, address: str, *, timeout_s: float = TIMEOUT_S, password: str | None = None) -> None:
        host, port = split(address)
        self.address: str | None = address
        # Without driver information the connection needs no round trip of its own before the first command.
        options = {**_careful(timeout_s), "password": password, "driver_info": None}
        self._connection: Any = Connection(host=host, port=port, **options)  # type: ignore[no-untyped-call]

    def execute(self, *command: Argument) -> Reply:
        """Connect where needed, send, and return the reply."""
        if self._gone():
            self._connect()
        self._connection.send_command(*command, check_health=False)
        return self._connection.read_response()

    def together(self, *commands: Sequence[Argument]) -> list[Reply]:
        """Send commands in one piece; all replies are read before the first error among them is raised."""
        if self._gone():
            raise NotSent("the connection of the commands before is gone")
        self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        replies = [self._reply() for _ in commands]
        for reply in replies:
            if isinstance(reply, exceptions.ResponseError):
                raise reply
        return replies

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()

    def _reply(self) -> Reply:
        try:
            return self._connection.read_response()
        except exceptions.ResponseError as problem:
            return problem

    def _gone(self) -> bool:
        # Between commands nothing is due: readable means that the server closed or reset the connection while it was
        # idle. Sending on it would turn a definite "not sent" into a doubtful one.
        if not self._connection.is_connected:
            return True
        try:
            stale = bool(self._connection.can_read(0))
        except exceptions.ConnectionError:
            stale = True
        if stale:
            self._connection.disconnect()
        return stale

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except exceptions.RedisError as problem:
            raise NotSent(f"not sent: {type(problem).__name__}: {problem}") from problem


class Following:
    """The master that the Sentinels name, asked again after every error; the address of each answer is known."""

    def __init__(
        self,
        sentinels: Sequence[str],
        service: str,
        *,
        timeout_s: float = TIMEOUT_S,
        password: str | None = None,
        sentinel_password: str | None = None,
    ) -> None:
        self._service = service
        self._timeout_s = timeout_s
        self._password = password
        self._sentinels: Any = Sentinel(  # type: ignore[no-untyped-call]
            [split(address) for address in sentinels],
            sentinel_kwargs={**_careful(timeout_s), "password": sentinel_password},
        )
        self._master: Pinned | None = None
        self.address: str | None = None

    def execute(self, *command: Argument) -> Reply:
        """Ask the Sentinels where needed, send, and return the reply."""
        return self._keeping(lambda master: master.execute(*command), self._discover)

    def together(self, *commands: Sequence[Argument]) -> list[Reply]:
        """Send commands in one piece to the master of the command before."""
        replies: list[Reply] = self._keeping(lambda master: master.together(*commands), self._no_discovery)
        return replies

    def _keeping(self, action: Callable[[Pinned], Reply], find: Callable[[], Pinned]) -> Reply:
        master = self._master or find()
        self._master, self.address = master, master.address
        try:
            return action(master)
        except Exception:
            master.close()
            self._master = None
            raise

    def _discover(self) -> Pinned:
        try:
            host, port = self._sentinels.discover_master(self._service)
        except exceptions.RedisError as problem:
            raise NotSent(f"not sent: no Sentinel names a master: {problem}") from problem
        return Pinned(f"{host}:{port}", timeout_s=self._timeout_s, password=self._password)

    def _no_discovery(self) -> Pinned:
        raise NotSent("the connection of the commands before is gone")


class DefaultRetries:
    """
    ``redis.Redis`` with the library's own retries: every command is sent again on a lost connection or a timeout.

    Without a handshake (RESP2, no library name told): where every reply is lost, the handshake of a new connection would
    be the first to wait in vain, and the command behind it would not be sent again.
    """

    def __init__(self, address: str, *, timeout_s: float | None = None, password: str | None = None) -> None:
        host, port = split(address)
        limits = {} if timeout_s is None else {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
        quiet = {"protocol": 2, "driver_info": None}
        options: dict[str, Any] = {"password": password, "decode_responses": True, **quiet, **limits}
        self.address: str | None = address
        self._client: Any = redis.Redis(host=host, port=port, **options)

    def execute(self, *command: Argument) -> Reply:
        """As an application that configured nothing would."""
        return self._client.execute_command(*command)

    def together(self, *commands: Sequence[Argument]) -> list[Reply]:
        """Not offered: a retried transaction is another study."""
        raise UsageError("the client with default retries sends single commands only")


def open_client(
    *,
    address: str | None = None,
    sentinels: Sequence[str] | None = None,
    service: str = "m",
    timeout_s: float | None = None,
    password: str | None = None,
    with_default_retries: bool = False,
) -> Commands:
    """The client that a workload's arguments describe: pinned to an address, or following the Sentinels."""
    if (address is None) == (not sentinels):
        raise UsageError("give a Redis workload either an address or the addresses of Sentinels")
    if with_default_retries:
        if address is None:
            raise UsageError("with_default_retries needs an address")
        return DefaultRetries(address, timeout_s=timeout_s, password=password)
    limit_s = TIMEOUT_S if timeout_s is None else timeout_s
    if address is not None:
        return Pinned(address, timeout_s=limit_s, password=password)
    return Following(sentinels or (), service, timeout_s=limit_s, password=password)


def record(
    worker: Worker,
    client: Commands,
    f: str,
    value: Value,
    action: Callable[[], Value],
    notes: Mapping[str, Value] | None = None,
) -> Completed:
    """Record one operation on this client; the address that it went to is in its notes, or that it was never sent."""
    known: dict[str, Value] = dict(notes or {})

    def act() -> Value:
        try:
            return action()
        except NotSent:
            known["sent"] = False
            raise
        finally:
            known["address"] = client.address

    return worker.operation(f, value, act, REDIS_OUTCOMES, known)


def next_turn(worker: Worker, last: Completed, pace_s: float) -> bool:
    """Wait for the next turn, calmer after an operation that was not acknowledged; False when asked to stop."""
    return worker.keep_going(pace_s if last.ok else max(pace_s, CALM_PACE_S))


def _careful(timeout_s: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "decode_responses": True,
    }
