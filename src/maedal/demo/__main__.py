"""Run the shop on its own, against any payment server that speaks PortOne V1."""

import argparse
import os
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from .app import create_app
from .shop import DemoSettings

# The pair that PortOne's own documentation prints; a shop of yours reads its own from the environment.
DEMO_SECRET = "ekKoeW8RyKuT0zgaZsUtXXTLQ4AhPFW3ZGseDA6bkA5lamv9OqDMnxyeB9wqOsuO9W3Mx9YSJ4dTqJ3f"  # noqa: S105


def main() -> None:
    """Read the addresses and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--gateway", default="http://127.0.0.1:8080", help="the payment server")
    parser.add_argument("--sandbox", help="the KakaoPay simulator, if there is one")
    parser.add_argument("--shop", help="this shop's own address, as browsers reach it")
    parser.add_argument("--allowed-host", action="append", default=[], help="a further name that it answers to")
    parser.add_argument("--data", type=Path, help="SQLite file for orders; memory without it")
    parser.add_argument("--clock-file", type=Path, help="file with the seconds that this shop is ahead of the machine")
    arguments = parser.parse_args()
    settings = DemoSettings(
        gateway_url=arguments.gateway,
        identification_code=os.environ.get("SHOP_CODE", "imp00000000"),
        api_key=os.environ.get("SHOP_API_KEY", "imp_apikey"),
        api_secret=os.environ.get("SHOP_API_SECRET", DEMO_SECRET),
        shop_url=arguments.shop or f"http://{arguments.host}:{arguments.port}",
        sandbox_url=arguments.sandbox,
        data_file=arguments.data,
        clock_file=arguments.clock_file,
        allowed_hosts=frozenset(
            name.lower()
            for name in (arguments.host, urlsplit(arguments.shop or "").hostname, *arguments.allowed_host)
            if name
        ),
    )
    uvicorn.run(create_app(settings), host=arguments.host, port=arguments.port, log_level="warning", ws="none")


if __name__ == "__main__":
    main()
