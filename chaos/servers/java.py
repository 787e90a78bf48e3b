"""
The machine's Java and Maven, which servers of jars need: to fetch them, and to run.
"""

import re
from pathlib import Path

from chaos import process
from chaos.errors import MissingSoftwareError
from chaos.servers.apt import install_packages
from chaos.servers.software import Progress, which

ASK_WITHIN_S = 30.0


def java_for(oldest: int, progress: Progress) -> Path:
    """
    A Java of at least this version: from PATH, else from the machine's packages.

    :raises MissingSoftwareError: with what to install, where a Java is there and too old.
    """
    java = which("java")
    if java is None:
        install_packages([f"openjdk-{oldest}-jre-headless"], progress)
        java = which("java")
    version = 0 if java is None else java_version(java)
    if java is None or version < oldest:
        seen = "there is none on PATH" if java is None else f"{java} is {version}"
        raise MissingSoftwareError(f"Java {oldest} or newer ({seen})", f"apt-get install openjdk-{oldest}-jre-headless")
    return java


def maven(progress: Progress) -> Path:
    """Maven: from PATH, else from the machine's packages."""
    if which("mvn") is None:
        install_packages(["maven"], progress)
    found = which("mvn")
    if found is None:
        raise MissingSoftwareError("Maven, which fetches the jars,", "apt-get install maven")
    return found


def java_version(java: Path) -> int:
    """The feature release: 17 of 17.0.15, 8 of 1.8.0; 0 if it does not say."""
    said = process.run([java, "-version"], timeout_s=ASK_WITHIN_S, check=False)
    numbers = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(numbers[1]) if numbers else 0
