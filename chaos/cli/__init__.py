"""
The ``chaos`` command. Its parts are loaded when they are used, so that help is there at once.
"""

import os
import sys
from collections.abc import Sequence

from chaos.cli import exits
from chaos.cli.parser import parse
from chaos.cli.terminal import complain
from chaos.errors import ChaosError, UsageError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error is one sentence on stderr, never a traceback."""
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        code: int = options.run(options)
        sys.stdout.flush()
    except UsageError as problem:
        return _say(problem, exits.BAD_INPUT)
    except ChaosError as problem:
        return _say(problem, exits.UNKNOWN)
    except KeyboardInterrupt:
        return _say("interrupted", exits.INTERRUPTED)
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would say "Exception ignored ... BrokenPipeError".
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.PIPE_CLOSED
    return code


def _say(problem: object, code: int) -> int:
    complain(problem)
    return code
