"""Whether an address on this machine answers with 200: the container's health check, where there is no curl.

    python -I answers.py http://127.0.0.1:8080/healthz

Standard library only and nothing of maedal, so that asking every few seconds costs little.
"""

import http.client
import sys
from urllib.parse import urlsplit

SECONDS_MAX = 4
"""Less than the health check's own limit, so that it ends with a sentence."""
OK = 200


def main(address: str) -> int:
    """Ask once; 0 when the answer is 200."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS_MAX)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"{address} does not answer: {error}")
        return 1
    finally:
        connection.close()
    print(f"{address} answers {status}")
    return 0 if status == OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
