"""An exact KakaoPay simulator for development and tests; imports nothing of maedal.

What it answers follows docs/wire/kakaopay.md; no money moves and nothing leaves the machine.
"""
