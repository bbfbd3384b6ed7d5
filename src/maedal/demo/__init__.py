"""The demo shop: a merchant's shop, written only against the public interfaces of PortOne V1."""
