"""What KakaoPay does when it is called: one file per operation, without HTTP (docs/wire/kakaopay.md, 5 to 7)."""
