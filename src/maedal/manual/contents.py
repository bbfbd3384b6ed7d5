"""Which pages the manual has, in the order in which somebody comes to need them."""

from __future__ import annotations

PARTS: tuple[tuple[tuple[str, str], tuple[str, ...]], ...] = (
    (("처음", "Begin"), ("index", "tutorial", "recipes", "billing", "testing", "plans", "glossary")),
    (
        ("상점 개발", "Your shop"),
        ("portone", "endpoints", "errors", "failures", "webhooks", "alerts", "local", "test-kit"),
    ),
    (("콘솔", "The console"), ("console",)),
    (
        ("운영", "Running it"),
        (
            "deploy",
            "containers",
            "database",
            "keys",
            "backup",
            "watching",
            "bounds",
            "scaling",
            "high-availability",
            "safekeeping",
            "personal-data",
            "settings",
            "commands",
        ),
    ),
)
"""Titles in Korean and English, and the names of the pages below them."""
NAMES = tuple(name for _, names in PARTS for name in names)
