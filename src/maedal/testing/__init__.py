"""Testing a shop against maedal: the pytest plugin (`plugin`), and its parts for anything else.

Like the demo shop this knows public interfaces only: PortOne V1's REST API, what the browser SDK calls, the
simulator's `/_sim/` and the control API of `maedal dev`. It needs nothing but the standard library, and pytest for the
plugin. The manual's page is docs/manual/test-kit.md.
"""
