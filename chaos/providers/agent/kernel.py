"""
System calls that Python 3.11 does not offer: namespaces, mounts, host name, parent-death signal, libnftables.
"""

import contextlib
import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1
NFT_JSON = 1 << 4

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the given namespaces for new ones."""
    _check(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace behind a file descriptor; for a network namespace only the calling thread moves."""
    _check(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """Mount inside this mount namespace."""
    arguments = [text.encode() if text is not None else None for text in (source, target, kind)]
    _check(_libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def set_host_name(name: str) -> None:
    """Name this UTS namespace."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


def die_with_parent(signal: int) -> None:
    """Ask the kernel for this signal when the parent process ends, however it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl")


def become_root(uid: int, gid: int) -> None:
    """Map the caller to root inside the user namespace it has just made."""
    with contextlib.suppress(OSError):  # A kernel without the file needs no denial.
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


class Nft:
    """The nftables library in process: a transaction costs a fraction of a millisecond instead of a fork and exec."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libnftables.so.1")
        except OSError as problem:
            raise OSError(f"libnftables.so.1 is missing (Debian package nftables): {problem}") from problem
        for name in ("nft_ctx_new", "nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
            getattr(self._library, name).restype = ctypes.c_void_p if name == "nft_ctx_new" else ctypes.c_char_p
        self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def __call__(self, script: str, *, json: bool = False) -> str:
        """Run one transaction; all of it takes effect or none."""
        self._library.nft_ctx_output_set_flags(self._context, NFT_JSON if json else 0)
        failed = self._library.nft_run_cmd_from_buffer(self._context, script.encode())
        output = self._library.nft_ctx_get_output_buffer(self._context) or b""
        error = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise OSError(f"nft: {error.decode(errors='replace').strip()}")
        return str(output.decode())
