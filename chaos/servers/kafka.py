"""
What an installation of Kafka makes once, so that brokers start in seconds: the records of a formatted controller, and an
archive of the classes that a broker loads.

A tool's own Java machine for each node (``kafka-storage format``) would cost more than the start itself.
"""

import os
import shutil
import socket
from contextlib import closing
from pathlib import Path

from chaos import process
from chaos.errors import ProviderError
from chaos.servers.cache import new_folder
from chaos.servers.maven import ARCHIVE
from chaos.servers.software import Image, Progress
from chaos.wait import wait_until

CLUSTER_ID = "AAAAAAAAQAGAAAAAAAAAAQ"
CHECKPOINT = "format.checkpoint"
"""The bootstrap records that ``format`` writes for a controller: feature levels of this version."""
OPTIONS = (
    "-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto",
    "-Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
"""Small and quick to start: a broker has 150 to 190 MiB."""
STARTED = "Kafka Server started"
WITHIN_S = 60.0

HOME = "/opt/kafka"
"""Where the official image has it, and so the one that is built here."""
_CLASSES = f"for jar in {HOME}/libs/*; do classes=$classes:$jar; done; "
LAUNCH = (
    # In this order, for the archive of classes is of just these, as the image's own scripts name them.
    f"{_CLASSES}[ -e {HOME}/kafka.jsa ] && share=-XX:SharedArchiveFile={HOME}/kafka.jsa; "
    # The official image's Log4j has no settings of its own for a program that is run like this; the other logger ignores it.
    f'exec java {" ".join(OPTIONS)} -Dorg.apache.logging.log4j.level=INFO $share $JAVA_OPTIONS -cp "$classes" kafka.Kafka "$@"'
)


def _alone(data: str, broker: int, controller: int) -> str:
    listeners = f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}"
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "offsets.topic.replication.factor": "1",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


FORMAT = (
    f"cd $(mktemp -d) && printf '%s' '{_alone('data', 9092, 9093)}' >server.properties && {_CLASSES}"
    f'java {OPTIONS[0]} -cp "$classes" kafka.tools.StorageTool format -t {CLUSTER_ID} -c server.properties >&2'
)
IMAGE = Image(
    "apache/kafka",
    ("sh", "-c", LAUNCH, "kafka"),
    ("sh", "-c", f'{_CLASSES}java {OPTIONS[0]} -cp "$classes" kafka.Kafka --version'),
    makes={CHECKPOINT: ("sh", "-c", f"{FORMAT} && base64 data/__cluster_metadata-0/*.checkpoint")},
)


def prepare(launcher: Path, java: Path, progress: Progress) -> None:
    """Format a node in a scratch folder, start it once on loopback, and keep what both leave."""
    with new_folder() as work:
        settings = work / "server.properties"
        settings.write_text(_alone(str(work / "data"), *_free_ports()))
        progress("formatting a node once")
        tool = ("-cp", f"{launcher.parent / 'lib'}/*", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c")
        process.run([java, *tool, settings], timeout_s=WITHIN_S)
        (found,) = (work / "data" / "__cluster_metadata-0").glob("*.checkpoint")
        shutil.copyfile(found, launcher.parent / CHECKPOINT)  # Readable for all, unlike the original.
        progress("starting a broker once, for an archive of its classes (about five seconds)")
        _archive(launcher, settings, work / "log")


def _archive(launcher: Path, settings: Path, log: Path) -> None:
    made = launcher.parent / ARCHIVE
    env = {**os.environ, "JAVA_OPTIONS": f"-XX:ArchiveClassesAtExit={made}"}
    # An end of its own, should we be killed meanwhile; once asked to end, it writes the archive, which takes seconds.
    bounded = ("timeout", f"--kill-after={WITHIN_S:g}", f"{2 * WITHIN_S:g}")
    broker = process.start([*bounded, launcher, settings], log=log, env=env)
    try:
        wait_until(
            lambda: broker.poll() is not None or STARTED in log.read_text(errors="replace"),
            within_s=WITHIN_S,
            wanted="the broker to start once",
            error=ProviderError,
        )
    finally:
        broker.terminate()
        process.wait_end(broker, within_s=WITHIN_S, what="the broker that was started once")
    if not made.exists():
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise ProviderError(f"no archive of classes was made: {last[0]}")


def _free_ports() -> list[int]:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]
