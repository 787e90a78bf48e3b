"""
The docker engine of a lab: a party is a sidecar container with the lab's agent in it.
"""

import platform
import secrets
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TypeVar

from testcontainers.core.labels import SESSION_ID

from chaos.errors import LeftBehindWarning, MissingAbilityError, ProviderError, said
from chaos.network.mesh import Planes, Seat
from chaos.providers.agent.container import KEPT, OWN
from chaos.providers.channel import AgentChannel, call_all
from chaos.providers.contract import PartySpec, Role
from chaos.providers.docker import clean, images, janitor, sidecar, sources
from chaos.providers.docker.asking import asked
from chaos.providers.docker.clocks import Clocks
from chaos.providers.docker.connection import LAB, blamed, connect, labels
from chaos.providers.docker.imports import needs
from chaos.providers.docker.networks import lease
from chaos.providers.docker.programs import python_program
from chaos.providers.docker.sidecar import Sidecar
from chaos.servers import Installed
from chaos.servers.images import checked

__tracebackhide__ = said

AT_ONCE = 8
PYTHON = "import platform, sys; print(sys.implementation.cache_tag, sys.platform, platform.machine())"
T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do this for all, several at once; the first failure is raised once all are done."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, item) for item in items]
    return [future.result() for future in futures]


class DockerEngine:
    """One lab's machinery."""

    def __init__(self, *, keep_at: Path, mesh: bool, warm: Sequence[str], chosen: Mapping[str, str]) -> None:
        self._chosen = checked(chosen)
        self._api = connect()
        self._image = images.sidecar_image(self._api)
        self._keep_at, self._warm = keep_at, tuple(warm)
        self._name = f"chaos-{secrets.token_hex(4)}"
        self._labels = labels(self._name, SESSION_ID)
        self.proxy_program = "toxiproxy-server" if mesh else ""
        self._sidecars: dict[str, Sidecar] = {}
        self._channels: dict[str, AgentChannel] = {}
        self._clocks = Clocks()
        self._seats: list[Seat] = []
        self._furnished: dict[str, set[object]] = {}
        self._kept = False
        keep_at.mkdir(parents=True, exist_ok=True)
        try:
            janitor.life_line(self._api, SESSION_ID)
            self._networks = lease(self._api, self._name, self._labels)
        except BaseException:
            self._api.close()
            raise

    @property
    def name(self) -> str:
        """The lab's name."""
        return self._name

    @property
    def planes(self) -> Planes:
        """The addresses of this lab on its engine."""
        return self._networks.planes

    # -- parties -----------------------------------------------------------------------------------------------------

    def place(self, seats: Sequence[Seat], specs: Sequence[PartySpec]) -> Mapping[str, AgentChannel]:
        """Start the sidecars side by side and make their names known."""
        for spec in specs:  # Before anything is started.
            if spec.interpreter:
                raise MissingAbilityError("Interpreters", f"{spec.name} would need {spec.interpreter} in its container")
            if spec.image:
                images.resolve(self._api, spec.image)
        fresh: dict[str, Sidecar] = {}
        try:
            side_by_side(lambda pair: self._start(pair[0], pair[1], fresh), list(zip(seats, specs, strict=True)))
            channels = {name: AgentChannel(name, one.stream, obituary=one.obituary) for name, one in fresh.items()}
            self._introduce(seats, channels)
            side_by_side(lambda spec: self._furnish(spec, fresh[spec.name], channels[spec.name]), specs)
            for party, channel in channels.items():
                self._clocks.tell_apart(channel, fresh[party].clock)
        except BaseException:
            for one in fresh.values():
                one.stream.close()
            ids, volumes = [one.id for one in fresh.values()], [f"{one.name}-files" for one in fresh.values()]
            with suppress(ProviderError):  # What went wrong first is what is said; closing the lab tries again.
                clean.remove(self._api, containers=ids, volumes=volumes)
            raise
        self._sidecars.update(fresh)
        self._channels.update(channels)
        self._seats.extend(seats)
        return channels

    def _start(self, seat: Seat, spec: PartySpec, fresh: dict[str, Sidecar]) -> None:
        one = sidecar.create(
            self._api,
            name=f"{self._name}-{seat.name}",
            seat=seat,
            spec=spec,
            networks=self._networks,
            image=self._image,
            labels=self._labels,
        )
        fresh[seat.name] = one  # Known before it starts: what fails from here on is removed.
        if spec.role is Role.CLIENT:
            self._copy_code(one, self._warm)
        sidecar.start(self._api, one)

    def _introduce(self, newcomers: Sequence[Seat], channels: Mapping[str, AgentChannel]) -> None:
        everyone, news = (
            "".join(f"{seat.data} {seat.name}\n" for seat in seats) for seats in ([*self._seats, *newcomers], newcomers)
        )
        call_all((channel, [{"op": "hosts", "lines": everyone}]) for channel in channels.values())
        call_all((channel, [{"op": "hosts", "lines": news}]) for channel in self._channels.values())

    def _furnish(self, spec: PartySpec, one: Sidecar, channel: AgentChannel) -> None:
        if spec.image:
            image = images.resolve(self._api, spec.image)
            env = images.environment(self._api, image)
            sidecar.lend(self._api, one, channel, image=image, env=env, labels=self._labels)

    def _copy_code(self, one: Sidecar, modules: Iterable[str], *, script: Path | None = None) -> None:
        """Copy what a party's Python needs for these modules, and has not yet got."""
        path = (*([str(script.parent)] if script else []), *sources.own_path())
        has = self._furnished.setdefault(one.party, set())
        needed = frozenset[str]().union(*(needs(module, path) for module in modules)) - has
        archives = [sources.code_archive(path)] if path not in has else []
        if needed:
            archives.append(sources.libraries_archive(needed, compiled=self._same_python()))
        if script:
            archives.append(sources.file_archive(script))  # As it is now: a test may have written it a moment ago.
        with blamed(one.party):
            for archive in archives:
                self._api.put_archive(one.id, "/", archive)
        has |= {path, *needed}

    def _same_python(self) -> bool:
        """Whether the sidecar's Python can load what is compiled for ours."""
        theirs = asked(self._api, self._image, ("python3", "-c", PYTHON)).decode().split()
        return theirs == [sys.implementation.cache_tag, sys.platform, platform.machine()]

    def observe(self, seat: Seat, port: int) -> tuple[str, int]:
        """The port of this machine that the engine publishes the party's port on."""
        published = self._sidecars[seat.name].published()
        if port not in published:
            there = ", ".join(map(str, published)) or "none"
            raise ProviderError(
                f"{seat.name} publishes no port {port}; declare it in its PartySpec (there are: {there})"
            )
        return published[port]

    def inside(self, channel: AgentChannel) -> AbstractContextManager[None]:
        """No thread of the test process can enter a container."""
        raise MissingAbilityError("lab.inside", "the parties are containers, which let nobody in")

    def folder(self, party: str) -> str:
        """The party's own folder, as it sees it."""
        return OWN

    def kept(self, party: str) -> str:
        """The party's folder that is brought out at the end."""
        return KEPT

    def interpreter(self, spec: PartySpec) -> str | None:
        """Workers run under the sidecar's Python."""
        return "python3"

    def python_path(self, spec: PartySpec, modules: Sequence[str]) -> Sequence[str]:
        """Where this library and the user's workloads were copied to; other parties than clients get them when asked for."""
        self._copy_code(self._sidecars[spec.name], modules)
        return [sources.CODE]

    def program(self, spec: PartySpec, argv: Sequence[str]) -> tuple[Sequence[str], Mapping[str, str]]:
        """Of a Python program, its file, what it imports, and the sidecar's Python in place of ours."""
        found = None if spec.image or not argv else python_program(argv, sources.CODE)
        if found is None:
            return argv, {}
        if not found.module:
            return found.argv, {}
        self._copy_code(self._sidecars[spec.name], [found.module], script=found.script)
        return found.argv, {"PYTHONPATH": sources.CODE}

    def software(self, name: str, version: str | None) -> Installed:
        """A program as an image on the engine has it."""
        return images.software(self._api, name, version, self._chosen)

    # -- the end -----------------------------------------------------------------------------------------------------

    def keep(self) -> str:
        """Let the lab outlive the test process; ``chaos heal`` ends it."""
        call_all((channel, [{"op": "keep"}]) for channel in self._channels.values())
        janitor.spare(self._api, SESSION_ID, self._name)
        self._kept = True
        return f"docker exec -it {self._name}-PARTY sh   # PARTY is one of {', '.join(self._channels) or 'none'}"

    def save(self, channels: Mapping[str, AgentChannel]) -> None:
        """Bring out what parties keep; of a party that is gone, say so in the lab's log."""
        for party, channel in channels.items():
            try:
                self._save(party, channel)
            except ProviderError as problem:
                with (self._keep_at / "lab.log").open("a") as log:
                    log.write(f"{party}: its logs and files are lost: {problem}\n")

    def _save(self, party: str, channel: AgentChannel) -> None:
        for name in channel.call({"op": "kept"})[0]:
            target = self._keep_at / party / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(channel.read(f"{KEPT}/{name}"))

    def close(self) -> None:
        """Remove the lab's containers, networks and volumes."""
        self._clocks.close()
        for one in self._sidecars.values():
            one.stream.close()
        try:
            if not self._kept:
                clean.remove_labelled(self._api, f"{LAB}={self._name}")
        except clean.HeldOnError as problem:  # The engine's own mistake, after everything that ran is gone.
            warnings.warn(f"{self._name}: {problem}", LeftBehindWarning, stacklevel=2)
        finally:
            self._api.close()  # Its idle connections, one for each address that was asked; the next lab opens new ones.
