"""
Pieces of requests as etcd's JSON gateway wants them: keys and values in base64, numbers as text.
"""

import base64
from typing import Any

Json = dict[str, Any]


def encoded(text: str) -> str:
    """Bytes as the gateway wants them."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """And as it gives them."""
    return base64.b64decode(text).decode(errors="replace")


def range_of(key: str, *, prefix: bool = False) -> Json:
    """The key of a range request, or all keys that begin with it."""
    return {"key": encoded(key)} | ({"range_end": encoded(key[:-1] + chr(ord(key[-1]) + 1))} if prefix else {})


def version_is(key: str, version: int) -> Json:
    """A comparison: the key was written so many times; 0 says that it is not there."""
    return {"key": encoded(key), "target": "VERSION", "result": "EQUAL", "version": str(version)}


def created_at(key: str, revision: int) -> Json:
    """A comparison: the key is the one that was created at this revision."""
    return {"key": encoded(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(revision)}


def value_is(key: str, value: str) -> Json:
    """A comparison: the key has this value."""
    return {"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(value)}


def put_step(key: str, value: str, *, lease: int = 0) -> Json:
    """A write inside a transaction."""
    return {"request_put": {"key": encoded(key), "value": encoded(value), "lease": str(lease)}}


def range_step(key: str) -> Json:
    """A read inside a transaction."""
    return {"request_range": {"key": encoded(key)}}


def delete_step(key: str) -> Json:
    """A deletion inside a transaction."""
    return {"request_delete_range": {"key": encoded(key)}}
