"""The HTTP server's own bounds: what a connection may cost before anybody knows who is at its other end."""
