"""A closed-loop HTTP client in a process of its own: each connection sends its next request once it has its reply.

`python -m benchmarks.load PORT PATH TOKEN CONNECTIONS SECONDS < bodies` where each line is one JSON body. Connections
are kept alive where the server lets them be. Prints one line of JSON: requests, errors, requests/s, milliseconds.
"""

import json
import selectors
import socket
import sys
import time


def request_of(path: str, token: str, body: str) -> bytes:
    content = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Connection:
    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def send(self, request: bytes) -> None:
        self.started, self.received = time.perf_counter(), b""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.sendall(request)

    def read(self) -> int | None:
        """The status once the reply is whole, else None. 0 for a connection that broke."""
        chunk = self.socket.recv(1 << 16)
        self.received += chunk
        head, found, body = self.received.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
        if chunk and not (found and length is not None and len(body) >= length):
            return None
        if not chunk or b"connection: close" in lines:
            self.socket.close()
            self.socket = None
        return int(lines[0].split()[1]) if found else 0


def run(port: int, requests: list[bytes], connections: int, seconds: float) -> tuple[list[float], int, float]:
    """Milliseconds of each good reply, how many were bad, and how long it took."""
    waiting, times, errors, sent = selectors.DefaultSelector(), [], 0, 0
    end = time.perf_counter() + seconds
    for _ in range(connections):
        sent += _next(Connection(port), requests[sent % len(requests)], waiting)
    began = time.perf_counter()
    while waiting.get_map():
        for key, _ in waiting.select(timeout=30):
            connection = key.data
            open_socket = connection.socket
            status = connection.read()
            if status is None:
                continue
            waiting.unregister(open_socket)
            times.append((time.perf_counter() - connection.started) * 1000)
            errors += status != 200
            if time.perf_counter() < end:
                sent += _next(connection, requests[sent % len(requests)], waiting)
    return times, errors, time.perf_counter() - began


def _next(connection: Connection, request: bytes, waiting: selectors.BaseSelector) -> int:
    connection.send(request)
    waiting.register(connection.socket, selectors.EVENT_READ, connection)
    return 1


def main() -> None:
    port, path, token, connections, seconds = sys.argv[1:]
    requests = [request_of(path, token, line.strip()) for line in sys.stdin]
    times, errors, took = run(int(port), requests, int(connections), float(seconds))
    times.sort()
    at = {f"p{share}_ms": round(times[int(len(times) * share / 100)], 2) for share in (50, 95, 99)}
    print(json.dumps({"requests": len(times), "errors": errors, "requests_s": round(len(times) / took, 1)} | at))


if __name__ == "__main__":
    main()
