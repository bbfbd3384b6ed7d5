#!/usr/bin/env bash
# uvicorn 0.54.0 with httptools 0.9.0 (PyPI), Python 3.11: a POST that offers another protocol (`Upgrade: h2c`), as the
# HttpClient of Java and `curl --http2` send their first request over plain HTTP, loses its body. RFC 9110 (7.8) lets a
# server ignore the offer and answer in HTTP/1.1; here the application is called with an empty body, whatever
# Content-Length says, and nothing tells of the loss. With h11 0.16.0 as parser the same request arrives whole. Which of
# the two uvicorn takes depends on what is installed: `uvicorn[standard]` brings httptools.
#
# Runs outside of CI, without maedal.
# Seen on 2026-11-28:
#   h11: the application gets 12 bytes; answers: 200
#   httptools: the application gets 0 bytes; answers: 200
# It fails when that changes: then the gateway needs no protocol class of its own, and the simulator no h11.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0
cat > "$folder/offer.py" <<'PYTHON'
import re
import socket
import sys
import threading
import time

import uvicorn

BODY = b'{"amount":1}'
HEAD = (
    b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n\r\n"
)
got = []


async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    got.append(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
config = uvicorn.Config(app, host="127.0.0.1", port=port, http=sys.argv[1], ws="none", lifespan="off", log_config=None)
server = uvicorn.Server(config)
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.01)
answer = b""
with socket.create_connection(("127.0.0.1", port)) as wire:
    wire.sendall(HEAD + BODY)
    wire.settimeout(2)
    try:
        while part := wire.recv(4096):
            answer += part
    except TimeoutError:
        pass
server.should_exit = True
thread.join()
codes = " ".join(code.decode() for code in re.findall(rb"HTTP/1\.1 (\d{3})", answer))
print(f"{sys.argv[1]}: the application gets {len(got[0])} bytes; answers: {codes}")
PYTHON
h11=$("$folder/venv/bin/python" "$folder/offer.py" h11)
httptools=$("$folder/venv/bin/python" "$folder/offer.py" httptools)
echo "$h11"
echo "$httptools"
[ "$h11" = "h11: the application gets 12 bytes; answers: 200" ]
[ "$httptools" = "httptools: the application gets 0 bytes; answers: 200" ]
