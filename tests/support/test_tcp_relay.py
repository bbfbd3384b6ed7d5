"""The relays of the tests: what they take they pass on, and what they took is closed with them."""

from __future__ import annotations

import socket
from contextlib import closing, suppress

import pytest

from tests.support.relay import Relay
from tests.support.standby import Switch
from tests.torture.proxy import Proxy


@pytest.mark.parametrize("relay_to", [Proxy, Switch, lambda port: Relay([port])], ids=["proxy", "switch", "relay"])
def test_a_relay_passes_on_and_leaves_nothing_open(relay_to):
    with socket.create_server(("127.0.0.1", 0)) as server, closing(relay_to(server.getsockname()[1])) as relay:
        with socket.create_connection(("127.0.0.1", relay.port), 60) as client:
            client.sendall(b"said")
            far, _ = server.accept()
            with far:
                far.settimeout(60)
                assert far.recv(4) == b"said"
                far.sendall(b"heard")
                assert client.recv(5) == b"heard"
                # Taken at the last moment, when the relay may not have come to passing it on.
                with socket.create_connection(("127.0.0.1", relay.port), 60) as late:
                    relay.close()
                    for end in (client, far, late):
                        with suppress(ConnectionResetError):
                            assert end.recv(1) == b""
        assert relay._writers == set()
