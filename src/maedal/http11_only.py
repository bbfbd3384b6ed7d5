"""HTTP/1.1 and nothing else: a request that offers to go on in another protocol is answered in this one.

Java's HttpClient and `curl --http2` offer HTTP/2 with their first request over plain HTTP (`Upgrade: h2c`), and send
its body all the same, as RFC 9110 (7.8) says. httptools stops behind the head of such a request, and uvicorn then takes
its body for another request, which it refuses. Here the head is read again without the offer.
"""

from __future__ import annotations

import sys

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Http11Only(HttpToolsProtocol):
    """uvicorn's protocol, for a server that speaks no other."""

    _data = b""

    def data_received(self, data: bytes) -> None:
        self._data = data
        super().data_received(data)

    def _should_upgrade(self) -> bool:
        """Return that every offer is looked at below, whatever it is for."""
        return True

    def handle_websocket_upgrade(self) -> None:
        """Read the head again without the offer, and what came behind it; called while the parser's stop is handled."""
        stop = sys.exc_info()[1]
        assert isinstance(stop, httptools.HttpParserUpgrade), "nothing else comes here"
        method = self.scope["method"].encode()
        if method == b"CONNECT":
            self.send_400_response("Invalid HTTP request received.")
            return
        head = [method, b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.scope["headers"]:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        behind = self._data[stop.args[0] :]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn does: a request that came behind this one may be answered too.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"".join((*head, b"\r\n", behind)))
