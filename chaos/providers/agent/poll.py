"""
The agent's twin of ``chaos.wait``: the only place inside a lab that pauses between two looks.
"""

import time
from collections.abc import Callable


def poll(condition: Callable[[], bool], *, within_s: float, every_s: float = 0.002) -> bool:
    """Look until the condition holds; False when the time is up."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True
