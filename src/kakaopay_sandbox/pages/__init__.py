"""What the buyer sees: waiting pages, the phone, the account, the receipt (docs/wire/kakaopay.md, 10 and 13)."""
