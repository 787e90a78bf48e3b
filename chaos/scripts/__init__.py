"""
Scripts of failure cases that several systems share, so that their verdicts can be compared.

Here and not beside the experiments, because an installed experiment is ``chaos.experiments`` and a checkout's is ``experiments``.
"""
