"""
What the exit codes mean; the same for every command.
"""

FINE = 0
NOT_KEPT = 1
UNKNOWN = 2
BAD_INPUT = 3
INTERRUPTED = 130
PIPE_CLOSED = 141

MEANINGS = """\
exit codes:
  0    fine: every guarantee and expectation was met, everything asked for is there
  1    a guarantee or an expectation was not met (run: an experiment failed; recheck: violated)
  2    nobody knows: the environment lacks something, a run is void, a verdict is unknown
  3    bad input: an unknown name, a file that cannot be read, a wrong option
  130  interrupted (Ctrl-C), after healing
"""
