"""Inside the sandbox: carries connections to 127.0.0.1:PORT over to a unix socket. It decides nothing.

Run as ``python3 -I -S egress_bridge.py PORT SOCKET``. It goes on in the background, and returns once it listens, so
that the next command finds it. It may be killed or replaced from inside: the walls are on the socket's other side.
"""

import contextlib
import os
import socket
import sys
import threading

PIECE_BYTES = 65_536


def pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way until they end."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def carry(near: socket.socket, path: str) -> None:
    """Carry one connection both ways."""
    with near, socket.socket(socket.AF_UNIX) as far, contextlib.suppress(OSError):
        far.connect(path)
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def main() -> None:
    """Listen, and leave a child behind that serves."""
    port, path = int(sys.argv[1]), sys.argv[2]
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    while True:
        near, _ = listener.accept()
        threading.Thread(target=carry, args=(near, path), daemon=True).start()


if __name__ == "__main__":
    main()
