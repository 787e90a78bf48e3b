"""
Faults: each a value, reversible, and able to prove that it bit and that it healed. ``FAULTS`` is the one list of them.
"""

from collections.abc import Callable
from typing import Any

from chaos.faults.disk import DiskError, DiskStall
from chaos.faults.fault import FaultPlan, Injection, Scene
from chaos.faults.partition import MODES, Mode, Partition, between, bridge, halves, isolate, one_way, ring
from chaos.faults.process import Kill, Pause, Restart, Stop
from chaos.faults.streams import (
    Cut,
    LinkToxic,
    Lossy,
    blackhole,
    limit,
    narrow,
    reset,
    slice_up,
    slow,
    slow_close,
    stall,
)

FAULTS: dict[str, Callable[..., Any]] = {
    "isolate": isolate,
    "between": between,
    "one_way": one_way,
    "halves": halves,
    "bridge": bridge,
    "ring": ring,
    "slow": slow,
    "narrow": narrow,
    "stall": stall,
    "blackhole": blackhole,
    "reset": reset,
    "slice_up": slice_up,
    "limit": limit,
    "slow_close": slow_close,
    "cut": Cut,
    "lossy": Lossy,
    "pause": Pause,
    "kill": Kill,
    "stop": Stop,
    "restart": Restart,
    "disk_stall": DiskStall,
    "disk_error": DiskError,
}

__all__ = [
    "FAULTS",
    "MODES",
    "Cut",
    "DiskError",
    "DiskStall",
    "FaultPlan",
    "Injection",
    "Kill",
    "LinkToxic",
    "Lossy",
    "Mode",
    "Partition",
    "Pause",
    "Restart",
    "Scene",
    "Stop",
    "between",
    "blackhole",
    "bridge",
    "halves",
    "isolate",
    "limit",
    "narrow",
    "one_way",
    "reset",
    "ring",
    "slice_up",
    "slow",
    "slow_close",
    "stall",
]
