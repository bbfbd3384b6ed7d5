"""What `maedal keys` says of sealed values by where they are kept."""

from __future__ import annotations

WHAT_TO_DO = {
    "api_keys.secret_digest": "sealed when the key is next used, or its secret drawn anew",
    "api_keys.old_secret_digest": "ends by itself, or when the key is next used with it",
    "recovery_codes.digest": "drawn anew by whom they belong to",
    "idempotent_requests.digest": "ends by itself within 30 days",
    "sessions": "ends by itself within 12 hours",
    "access_tokens": "ends by itself within 35 minutes",
    "windows": "ends by itself within a day",
}
"""What becomes of values that `keys rotate` cannot seal anew."""

LOST = {
    "billing_keys.sealed_pg_key": "customers register again",
    "channels.sealed_secret": "maedal channel set --secret-key",
    "channels.sealed_file_key": "maedal channel set --file-key",
    "merchants.sealed_webhook_secret": "maedal webhook stop-signing, then new-secret",
    "merchants.sealed_old_webhook_secret": "goes with the one above",
    "webhook_addresses.sealed_secret": "remove the address in the console and add it anew",
    "webhook_addresses.sealed_old_secret": "goes with the one above",
    "api_keys.secret_digest": "maedal merchant new-secret",
    "api_keys.old_secret_digest": "void",
    "users.sealed_totp_secret": "maedal user two-steps-off",
    "users.row_seal": "maedal user new-password",
    "users.rights_seal": "maedal user set NAME --role",
    "invites.row_seal": "invite them anew",
    "passkeys.row_seal": "removed and added anew by whom they belong to",
    "recovery_codes.digest": "drawn anew with the second step",
    "idempotent_requests.digest": "repetitions are refused, for 30 days at most",
    "idempotent_requests.sealed_answer": "repetitions are refused, for 30 days at most",
    "windows.sealed_pg_token": "nothing needs it any more",
    "import_billing_keys.sealed_pg_key": "maedal import --discard, and import again",
}
"""What can be done about values whose key is lost."""
