"""What is counted, for Prometheus at `/metrics`."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)

OUTCOMES = Counter(
    "maedal_attempt_outcomes", "Recorded outcomes of calls to PGs.", ("outcome", "proof"), registry=REGISTRY
)
WEBHOOKS = Counter(
    "maedal_webhooks", "Webhooks sent, by whether the receiver took them.", ("delivered",), registry=REGISTRY
)
RECORDING_FAILED = Counter(
    "maedal_outcomes_not_recorded", "Outcomes that the store did not take; they are clarified later.", registry=REGISTRY
)


def exposition() -> bytes:
    """Return everything counted, in Prometheus' text format."""
    return generate_latest(REGISTRY)
