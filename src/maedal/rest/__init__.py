"""PortOne V1 over HTTP: decoding, envelope, one module per API group, one error table. It holds no rules."""
