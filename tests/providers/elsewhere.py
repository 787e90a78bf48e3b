"""
A machine that is not Linux, as far as that can be had on one that is: what only Linux has is taken away before anything is imported.

Whoever asks for it meets what they would meet there: no such file, no such module, no such symbol, no such name.
"""

import importlib
import os
import select
import signal
import socket
import sys
import sysconfig
import time
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FOREIGN = (
    *("asyncio", "ctypes", "multiprocessing", "subprocess", "tempfile", "urllib.request", "selectors", "pathlib"),
    *("docker", "testcontainers.core.docker_client", "requests", "pytest", "rich.console", "numpy", "msgspec"),
    *("redis", "kafka", "allure_pytest.plugin"),
)
"""Loaded before: other people's modules decide by the platform what they are made of, and we have only this one's."""
ONLY_LINUX: dict[Any, str] = {
    os: "pidfd_open setns unshare pipe2 memfd_create eventfd sched_yield sched_getaffinity sendfile posix_fadvise",
    socket: "AF_NETLINK AF_PACKET AF_VSOCK SO_MARK SO_BINDTODEVICE TCP_USER_TIMEOUT IP_TRANSPARENT",
    signal: "SIGRTMIN SIGRTMAX SIGSTKFLT SIGPWR SIGPOLL sigwaitinfo sigtimedwait pidfd_send_signal",
    select: "epoll EPOLLIN",
    time: "CLOCK_BOOTTIME CLOCK_TAI",
}
NOT_ON_WINDOWS: dict[Any, str] = {
    os: "fork geteuid getuid getegid getgid setsid killpg waitpid_status mkfifo pread pwrite uname openpty forkpty",
    socket: "AF_UNIX socketpair send_fds recv_fds",
    signal: "SIGKILL SIGSTOP SIGCONT SIGCHLD SIGUSR1 SIGUSR2 SIGALRM SIGHUP SIGQUIT SIGPIPE set_wakeup_fd pthread_kill",
}
MODULES_NOT_ON_WINDOWS = ("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog")
SYMBOLS = ("unshare", "setns", "prctl", "mount", "umount2", "sethostname", "pivot_root")
FOLDERS = ("/proc", "/sys", "/run")


def become(platform: str) -> None:
    """Be ``darwin`` or ``win32`` from now on."""
    for name in FOREIGN:
        with suppress(ImportError):
            importlib.import_module(name)
    sysconfig.get_config_vars()
    _take(ONLY_LINUX)
    sys.addaudithook(_refuse)
    for ask in ("stat", "lstat", "readlink", "scandir", "listdir", "access"):
        setattr(os, ask, _without_folders(getattr(os, ask)))
    if platform == "win32":
        _take(NOT_ON_WINDOWS)
        for module in MODULES_NOT_ON_WINDOWS:
            sys.modules[module] = None  # type: ignore[assignment]
        msvcrt: Any = types.ModuleType("msvcrt")
        msvcrt.LK_NBLCK, msvcrt.locking = 2, lambda descriptor, mode, count: None
        sys.modules["msvcrt"] = msvcrt
    sys.platform = platform


def _take(names: dict[Any, str]) -> None:
    for module, listed in names.items():
        for name in listed.split():
            if hasattr(module, name):
                delattr(module, name)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _there_only(arguments[0]):
        raise FileNotFoundError(2, "No such file or directory", arguments[0])
    if event == "ctypes.dlsym" and arguments[1] in SYMBOLS:
        raise AttributeError(f"symbol not found: {arguments[1]}")
    if event == "ctypes.dlopen" and arguments[0] and "nftables" in str(arguments[0]):
        raise OSError(f"image not found: {arguments[0]}")


def _there_only(path: object) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(FOLDERS)


def _without_folders(ask: Callable[..., Any]) -> Callable[..., Any]:
    def asked(path: Any = ".", *arguments: Any, **named: Any) -> Any:
        if _there_only(path):
            raise FileNotFoundError(2, "No such file or directory", path)
        return ask(path, *arguments, **named)

    return asked
