"""
The part of a lab that runs inside it: standard library only, one small process a party.

It is imported by path, as the top-level package ``agent``, by interpreters that know nothing of this project; so nothing
in here may import ``chaos``. The local provider and a sidecar container run the same code.
"""
