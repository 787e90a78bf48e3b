"""
One party's containers: the sidecar, which owns its network and its processes, and the one that lends an image's files.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from docker import APIClient
from docker.errors import DockerException, NotFound
from requests import RequestException

from chaos.errors import ProviderError, said
from chaos.network.mesh import Seat
from chaos.providers.agent.container import HOLD
from chaos.providers.agent.stream import Message
from chaos.providers.channel import AgentChannel
from chaos.providers.contract import PartySpec
from chaos.providers.docker.attach import LINES, AttachOutput, AttachStream
from chaos.providers.docker.connection import blamed, silence
from chaos.providers.docker.networks import Networks
from chaos.providers.docker.sources import AGENT, agent_archive
from chaos.wait import FAST_S, wait_until

__tracebackhide__ = said

READY_S = 20.0
LENT_S = 10.0
BOOT = (
    f"import json, sys; sys.path.insert(0, {AGENT!r}); from agent.sidecar import main; "
    "sys.path.pop(0); main(json.loads(sys.argv[1]))"
)
POWERS = ("NET_ADMIN", "SYS_PTRACE")


@dataclass(slots=True, kw_only=True)
class Sidecar:
    """
    A party's first container.

    :param clock: what names the clock of its processes, once it has started.
    """

    party: str
    name: str
    id: str
    stream: AttachStream
    api: APIClient
    clock: str = ""
    _published: dict[int, tuple[str, int]] | None = None

    def published(self) -> Mapping[int, tuple[str, int]]:
        """The party's ports, with where on this machine the engine publishes them; asked once."""
        if self._published is None:
            with blamed(self.party):
                ports = self.api.inspect_container(self.id)["NetworkSettings"]["Ports"] or {}
            self._published = {
                int(inside.partition("/")[0]): (bindings[0]["HostIp"], int(bindings[0]["HostPort"]))
                for inside, bindings in ports.items()
                if bindings
            }
        return self._published

    def obituary(self) -> str:
        """What the engine knows of it, now that its agent has ended."""
        try:
            self.api.inspect_container(self.id)
        except NotFound:
            words = "; ".join(list(self.stream.words)[-LINES:])
            return "its container has ended or was removed" + (f"; it said: {words}" if words else "")
        except (DockerException, RequestException, OSError) as problem:
            return silence(problem)
        return ""


def create(
    api: APIClient,
    *,
    name: str,
    seat: Seat,
    spec: PartySpec,
    networks: Networks,
    image: str,
    labels: dict[str, str],
) -> Sidecar:
    """Make a party's sidecar, on both networks and with the agent in it, ready to be started."""
    with blamed(seat.name):
        api.create_volume(f"{name}-files", labels=labels)
        made = _create(api, name=name, seat=seat, spec=spec, networks=networks, image=image, labels=labels)
        api.connect_container_to_network(made["Id"], networks.management, ipv4_address=seat.management)
        api.put_archive(made["Id"], "/", agent_archive())
        attached = api.attach_socket(made["Id"], {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    return Sidecar(party=seat.name, name=name, id=made["Id"], stream=AttachStream(attached), api=api)


def start(api: APIClient, sidecar: Sidecar) -> None:
    """Start it; its agent is up and has its cables when this returns."""
    with blamed(sidecar.party):
        api.start(sidecar.id)
    sidecar.clock = _hear_up(sidecar.party, sidecar.stream)


def _create(
    api: APIClient,
    *,
    name: str,
    seat: Seat,
    spec: PartySpec,
    networks: Networks,
    image: str,
    labels: dict[str, str],
) -> Message:
    shown = [port.number for port in spec.ports if port.plane != "data"]
    config = {"data": seat.data, "mgmt": seat.management}
    host = api.create_host_config(
        network_mode=networks.data,
        cap_add=list(POWERS),
        auto_remove=True,
        binds=[f"{name}-files:/chaos"],
        port_bindings={f"{port}/tcp": ("127.0.0.1",) for port in shown},
        sysctls=_sysctls(seat),
    )
    endpoint = api.create_endpoint_config(ipv4_address=seat.data)
    made: Message = api.create_container(
        image,
        ["python3", "-I", "-S", "-c", BOOT, json.dumps(config)],
        name=name,
        hostname=seat.name,
        labels=labels,
        stdin_open=True,
        ports=shown,
        networking_config={"EndpointsConfig": {networks.data: endpoint}},
        host_config=host,
    )
    return made


def _sysctls(seat: Seat) -> dict[str, str]:
    reserved = ",".join(map(str, seat.ports))
    return {
        "net.ipv4.ip_local_port_range": "32768 60999",
        "net.ipv6.conf.all.disable_ipv6": "1",
        **({"net.ipv4.ip_local_reserved_ports": reserved} if reserved else {}),
    }


def _hear_up(party: str, stream: AttachStream) -> str:
    try:
        message = stream.receive(READY_S)
    except TimeoutError:
        message = {"failed": f"silent for {READY_S:g} s"}
    if message is None or "failed" in message:
        reason = message["failed"] if message else "its container ended at once"
        words = "; ".join(list(stream.words)[-LINES:])
        raise ProviderError(f"{party}: its agent did not come up: {reason}{f'; it said: {words}' if words else ''}")
    return str(message["clock"])


def lend(
    api: APIClient,
    sidecar: Sidecar,
    channel: AgentChannel,
    *,
    image: str,
    env: Mapping[str, str],
    labels: dict[str, str],
) -> None:
    """Let the party's programs be those of an image: a container of it stands still in the party's namespaces."""
    inside = f"container:{sidecar.id}"
    with blamed(sidecar.party):
        host = api.create_host_config(network_mode=inside, pid_mode=inside, auto_remove=True, volumes_from=[sidecar.id])
        made = api.create_container(
            image, ["sleep", "2147483647"], entrypoint=[HOLD], labels=labels, host_config=host, user="0"
        )
        output = AttachOutput(api.attach_socket(made, {"stdout": 1, "stderr": 1, "stream": 1}))

    def seen() -> bool:
        if channel.call({"op": "lent", "env": dict(env)})[0]:
            return True
        if output.ended():
            words = output.last_words()
            told = f"it said: {words}" if words else "it said nothing"
            raise ProviderError(f"{sidecar.party}: the container of its image {image} ended at once; {told}")
        return False

    try:
        with blamed(sidecar.party):
            api.start(made)
        wanted = f"the agent of {sidecar.party} sees the container of its image {image}"
        wait_until(seen, within_s=LENT_S, wanted=wanted, every_s=FAST_S, error=ProviderError)
    finally:
        output.close()
