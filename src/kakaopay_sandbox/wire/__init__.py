"""KakaoPay over HTTP: both generations, their keys, bodies, fields and replies (docs/wire/kakaopay.md, 1, 3, 8)."""
