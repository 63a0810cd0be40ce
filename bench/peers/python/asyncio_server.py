"""The servers on asyncio streams. asyncio_server.py asyncio|uvloop MODE PORT SIZE LOOPS"""

import asyncio
import sys

LOOP, MODE, PORT, SIZE = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PATTERN = bytes(range(256)) * (SIZE // 256)
writers = set()


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)


async def count_lines(reader, writer):
    lines = 0
    while await reader.readline():
        lines += 1
    writer.write(b"%d\n" % lines)


async def count_bytes(reader, writer):
    count = 0
    while data := await reader.read(SIZE):
        count += len(data)
    writer.write(b"%d\n" % count)


async def send_bytes(reader, writer):
    left = int(await reader.readline())
    while left > 0:
        writer.write(PATTERN[:left])
        await writer.drain()
        left -= SIZE


async def answer_length(reader, writer):
    while message := await reader.readline():
        writer.write(b"%d\n" % len(message))


async def broadcast(reader, writer):
    writers.add(writer)
    while line := await reader.readline():
        for other in writers:
            other.write(line)
    writers.discard(writer)


MODES = {
    "echo": echo,
    "sink-lines": count_lines,
    "sink-bulk": count_bytes,
    "source-bulk": send_bytes,
    "message": answer_length,
    "broadcast": broadcast,
}


async def handle(reader, writer):
    try:
        await MODES[MODE](reader, writer)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    limit = 200 * 1024 * 1024 if MODE == "message" else 65536
    await asyncio.start_server(handle, "127.0.0.1", PORT, limit=limit, backlog=1024)
    print("ready", flush=True)
    await asyncio.Event().wait()


if MODE not in MODES:
    sys.exit(2)
if LOOP == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
