"""
Tables of figures, printed and not asserted: a timed test on a shared machine tests the machine.
"""
