"""
Ways back from a lost majority, right and wrong, as an operator would take them.
"""

import base64
from dataclasses import replace

from chaos.cluster import Node, resolve
from chaos.errors import MissingAbilityError, ProviderError, ServerError, UsageError
from chaos.providers.contract import ProcessRef, Spawn
from chaos.systems.etcd.cluster import EtcdCluster
from chaos.systems.etcd.config import DATA
from chaos.systems.etcd.console import Console
from chaos.systems.etcd.ready import last_words
from chaos.wait import wait_until

WITHIN_S = 30.0
SNAPSHOT = "snapshot.db"
TOOL, SHELL = "restore", "/bin/sh"
NO_TOOL = 64
"""What the script says when the server is built without etcdutl's commands."""


def force_new_cluster(cluster: EtcdCluster, node: Node | str) -> None:
    """
    From its next start on, let this member be a cluster of its own, on whatever data it has: what the flag of that name does.

    The others are given up: nothing waits for them to agree any more.
    """
    name = cluster.node(str(node)).name
    own = cluster.spawns[name]
    cluster.spawns[name] = replace(own, argv=(*own.argv, "--force-new-cluster=true"))
    cluster.given_up.update(set(cluster.topology.nodes) - {name})


def save_snapshot(cluster: EtcdCluster) -> bytes:
    """The leader's whole state, as a backup has it."""
    console = Console(cluster.lab, str(cluster.leader()), timeout_s=WITHIN_S)
    try:
        pieces = console.stream("maintenance/snapshot")
    finally:
        console.close()
    return b"".join(base64.b64decode(piece.get("blob", "")) for piece in pieces)


def restore_snapshot(cluster: EtcdCluster, snapshot: bytes, *, bump_revision: int | None = None) -> None:
    """
    Put a backup in the place of the data of every member; all of them must be down, and start on it.

    :param bump_revision: by how much the store's revision is raised, so that no client sees it go back; None leaves it.
    """
    running = [node.name for node in cluster.nodes if cluster.lab.state(cluster.process(node)) != "ended"]
    if running:
        raise UsageError(
            f"a backup is restored while every member is down, and {', '.join(running)} run: Kill them first"
        )
    known = len(cluster.lab.exits())
    if not _has_shell(cluster):
        raise MissingAbilityError("Restoring a backup", f"{cluster.version} has no shell, and so no way to its tool")
    refs = [_restore(cluster, name, snapshot, bump_revision) for name in resolve(cluster.nodes)]

    def codes() -> dict[ProcessRef, int]:
        return {event.ref: event.code for event in cluster.lab.exits()[known:] if event.ref in refs}

    wait_until(
        lambda: len(codes()) == len(refs),
        within_s=WITHIN_S,
        wanted="every member to have its backup",
        seen=codes,
        error=ServerError,
    )
    if NO_TOOL in codes().values():
        raise UsageError(f"{cluster.version} as it is installed here cannot restore a backup; 3.6 and 3.5 can")
    for ref, code in codes().items():
        if code != 0:
            raise ServerError(f"{ref.party}: the backup was not restored: {last_words(cluster.lab.log(ref))}")


def _has_shell(cluster: EtcdCluster) -> bool:
    """Whether a member's files include one: those of etcd's official images do not."""
    node = cluster.topology.nodes[0]
    try:
        cluster.lab.spawn(node, Spawn(name="shell", argv=(SHELL, "-c", ":")))
    except ProviderError:
        return False
    return True


def _restore(cluster: EtcdCluster, name: str, snapshot: bytes, bump_revision: int | None) -> ProcessRef:
    folder, spawn = cluster.lab.folder(name), cluster.spawns[name]
    wanted = (
        "--name=",
        "--data-dir=",
        "--initial-cluster=",
        "--initial-cluster-token=",
        "--initial-advertise-peer-urls=",
    )
    own = [word for word in spawn.argv if word.startswith(wanted)]
    bump = [] if bump_revision is None else [f"--bump-revision={bump_revision}", "--mark-compacted"]
    able = f'"$1" snapshot restore --help > /dev/null 2>&1 || exit {NO_TOOL}'  # Before anything is removed.
    script = f'{able}; rm -rf "{folder}/{DATA}" && exec "$@"'
    argv = (SHELL, "-c", script, "sh", spawn.argv[0], "snapshot", "restore", f"{folder}/{SNAPSHOT}", *own, *bump)
    return cluster.lab.spawn(name, Spawn(name=TOOL, argv=argv, files={SNAPSHOT: snapshot}))
