"""
The other side of a worker process: a control socket as the party's agent would hold it.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos import process

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START = "import json, sys; from chaos.workloads.worker import main; sys.exit(main(json.loads(sys.argv[1])))"
PATIENCE_S = 10.0


class Agent:
    """One worker process and the conversation with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"chaos-test-{os.getpid()}-{folder.name}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind("\0" + self.name)
        self._listener.listen()
        self._listener.settimeout(PATIENCE_S)
        self._talk: Any = None
        self._connection: socket.socket | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, workload: str, *, arguments: Mapping[str, object] | None = None, **changes: object) -> None:
        spec: dict[str, object] = {
            "callable": workload if ":" in workload else f"worker_samples:{workload}",
            "arguments": arguments or {},
            "client": "c1",
            "events": str(self.events),
            "control": self.name,
            "ref": "worker",
            "hold": [],
            "seed": 7,
            "sys_path": [str(HERE)],
        }
        argv = [sys.executable, "-c", START, json.dumps({**spec, **changes})]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = process.start(argv, env=env, log=self.folder / "worker.log")
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(PATIENCE_S)
        self._talk = self._connection.makefile("rwb")
        assert self.hear() == {"hello": "worker"}

    @property
    def events(self) -> Path:
        return self.folder / "c1.jsonl"

    def recorded(self) -> list[dict[str, Any]]:
        text = self.events.read_text() if self.events.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def completions(self) -> list[dict[str, Any]]:
        return [line for line in self.recorded() if "complete" in line]

    def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._talk.readline())
        return message

    def say(self, **message: object) -> None:
        self._talk.write(json.dumps(message).encode() + b"\n")
        self._talk.flush()

    def exit_code(self) -> int:
        assert self.process
        return self.process.wait(PATIENCE_S)

    def hang_up(self) -> None:
        if self._connection:
            self._talk.close()
            self._connection.close()

    def close(self) -> None:
        self.hang_up()
        self._listener.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    def operations(self, f: str) -> list[dict[str, Any]]:
        """The operations of one kind that ended: value, outcome, result, error and notes together."""
        lines = self.recorded()
        asked = {line["invoke"]: line for line in lines if "invoke" in line}
        ended = [{**asked[line["complete"]], **line} for line in lines if "complete" in line]
        return [one for one in ended if one["f"] == f]
