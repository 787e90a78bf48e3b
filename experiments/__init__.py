"""
The failure cases: a folder a system, a file a failure, a marker a lesson. Each reproduces its case on purpose.
"""
