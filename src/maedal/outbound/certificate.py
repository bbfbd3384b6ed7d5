"""The certificate of the gateway's own address, seen as browsers see it."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

SECONDS_MAX = 10.0
HTTPS_PORT = 443
NOT_AFTER = "%b %d %H:%M:%S %Y GMT"
"""How Python writes the end of a certificate."""
OVER = datetime(1970, 1, 1, tzinfo=UTC)
"""For one that has ended, of which nothing more is told."""
EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


async def certificate_end(address: str, context: ssl.SSLContext | None = None) -> datetime | None:
    """Return until when the certificate of an https address is good; of one that is over, a moment that is over.

    None when the address is not encrypted, does not answer, or shows a certificate that this machine does not trust:
    then nothing is known of what browsers see.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    context = context or ssl.create_default_context()
    try:
        async with asyncio.timeout(SECONDS_MAX):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or HTTPS_PORT, ssl=context)
    except ssl.SSLCertVerificationError as error:
        return OVER if error.verify_code == EXPIRED else None
    except (OSError, TimeoutError):
        return None
    try:
        until = (writer.get_extra_info("peercert") or {}).get("notAfter")
        return None if until is None else datetime.strptime(until, NOT_AFTER).replace(tzinfo=UTC)
    finally:
        writer.close()
