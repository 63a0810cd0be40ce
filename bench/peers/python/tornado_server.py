"""The servers on Tornado's iostream. tornado_server.py MODE PORT SIZE LOOPS"""

import asyncio
import sys

from tornado.iostream import StreamClosedError
from tornado.tcpserver import TCPServer

MODE, PORT, SIZE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PATTERN = bytes(range(256)) * (SIZE // 256) if MODE == "source-bulk" else b""
streams = set()


async def echo(stream):
    while True:
        stream.write(await stream.read_until(b"\n"))


async def count_lines(stream):
    lines = 0
    try:
        while True:
            await stream.read_until(b"\n")
            lines += 1
    except StreamClosedError:
        pass
    return lines


async def count_bytes(stream):
    count = 0
    buffer = bytearray(SIZE)
    try:
        while True:
            count += await stream.read_into(buffer, partial=True)
    except StreamClosedError:
        pass
    return count


async def send_bytes(stream):
    left = int(await stream.read_until(b"\n"))
    while left > 0:
        await stream.write(PATTERN[:left])
        left -= SIZE


async def answer_length(stream):
    while True:
        message = await stream.read_until(b"\n")
        stream.write(b"%d\n" % len(message))


async def answer_exact_length(stream):
    while True:
        message = await stream.read_bytes(SIZE)
        stream.write(b"%d\n" % len(message))


async def answer_regex_length(stream):
    while True:
        message = await stream.read_until_regex(b"\r?\n")
        stream.write(b"%d\n" % len(message))


async def broadcast(stream):
    streams.add(stream)
    try:
        while True:
            line = await stream.read_until(b"\n")
            for other in streams:
                other.write(line)
    finally:
        streams.discard(stream)


MODES = {
    "echo": echo,
    "sink-lines": count_lines,
    "sink-bulk": count_bytes,
    "source-bulk": send_bytes,
    "message": answer_length,
    "exact": answer_exact_length,
    "regex": answer_regex_length,
    "broadcast": broadcast,
}


class Server(TCPServer):
    async def handle_stream(self, stream, address):
        stream.set_nodelay(True)
        # The stream closes at the peer's EOF, and the count could not be sent: it is sent on a separate descriptor.
        sock = stream.socket.dup() if MODE.startswith("sink") else None
        try:
            answer = await MODES[MODE](stream)
            if sock is not None:
                sock.setblocking(True)
                sock.sendall(b"%d\n" % answer)
        except StreamClosedError:
            pass
        finally:
            if sock is not None:
                sock.close()
            stream.close()


async def main():
    server = Server(max_buffer_size=200 * 1024 * 1024)
    server.listen(PORT, "127.0.0.1", backlog=1024)
    print("ready", flush=True)
    await asyncio.Event().wait()


if MODE not in MODES:
    sys.exit(2)
asyncio.run(main())
