"""
A server and a client for labs, standard library only: each writes what happened, on the kernel's clock, as JSON lines.

    peer.py serve PORT [FEED_S]        answers each line with itself; with FEED_S also sends one line that often
    peer.py call HOST PORT [EVERY_S]   one connection; with EVERY_S sends a numbered line that often
    peer.py dial HOST PORT EVERY_S     a fresh connection that often, one line each
    peer.py family                     a child in a session of its own, a daemon that left its parent, and itself
"""

import errno
import itertools
import json
import os
import socket
import sys
import threading
import time


def say(event: str, **more: object) -> None:
    os.write(1, json.dumps({"at": time.monotonic_ns(), "event": event, **more}).encode() + b"\n")


def name_of(problem: OSError) -> str:
    return errno.errorcode.get(problem.errno or 0, type(problem).__name__)


def hear(connection: socket.socket, *, answer: bool) -> None:
    try:
        while data := connection.recv(65536):
            say("got", text=data.decode())
            if answer:
                connection.sendall(data)
        say("end", how="closed")
    except OSError as problem:
        say("end", how=name_of(problem))


def feed(connection: socket.socket, every_s: float) -> None:
    try:
        for number in itertools.count():
            connection.sendall(f"{number}\n".encode())
            say("sent", number=number)
            time.sleep(every_s)
    except OSError as problem:
        say("unsent", how=name_of(problem))


def serve(port: str, feed_s: str = "0") -> None:
    listener = socket.create_server(("0.0.0.0", int(port)), backlog=64)
    say("listening")
    while True:
        connection, address = listener.accept()
        say("accepted", peer=address[0])
        threading.Thread(target=hear, args=(connection,), kwargs={"answer": not float(feed_s)}, daemon=True).start()
        if float(feed_s):
            threading.Thread(target=feed, args=(connection, float(feed_s)), daemon=True).start()


def call(host: str, port: str, every_s: str = "0") -> None:
    connection = socket.create_connection((host, int(port)), 3)
    connection.settimeout(None)
    say("connected", me=connection.getsockname()[0])
    if float(every_s):
        threading.Thread(target=feed, args=(connection, float(every_s)), daemon=True).start()
    hear(connection, answer=False)
    time.sleep(60)


def dial(host: str, port: str, every_s: str) -> None:
    for number in itertools.count():
        try:
            with socket.create_connection((host, int(port)), 0.2) as connection:
                connection.settimeout(0.2)
                connection.sendall(f"{number}\n".encode())
                answer = connection.recv(100)
            say("dialled", number=number, how="answered" if answer else "closed")
        except OSError as problem:
            say("dialled", number=number, how=name_of(problem))
        time.sleep(float(every_s))


def family() -> None:
    if os.fork() == 0:
        os.setsid()
        say("child", pid=os.getpid())
        time.sleep(60)
        os._exit(0)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            say("daemon", pid=os.getpid())
            time.sleep(60)
        os._exit(0)
    os.wait()
    time.sleep(60)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
