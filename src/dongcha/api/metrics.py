"""What Prometheus reads: requests by route, how long they took, and whatever a part of the service watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one application; labels are route templates, never paths, so that their number is bounded."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "dongcha_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "dongcha_request_seconds", "Seconds to an answer.", ("route",), buckets=BUCKETS, registry=self._registry
        )
        self.under_way = Gauge("dongcha_requests_under_way", "Requests not yet answered.", registry=self._registry)
        self._watched = _Watched()
        self._registry.register(self._watched)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def watch(self, name: str, told: str, value: Callable[[], float]) -> None:
        """Read a gauge whenever Prometheus asks; one that cannot be read is left out."""
        self._watched.gauges[name] = (told, value)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)


class _Watched(Collector):
    def __init__(self) -> None:
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read every gauge."""
        for name, (told, value) in self.gauges.items():
            try:
                yield GaugeMetricFamily(name, told, value=value())
            except Exception:  # a part that fails must not hide the others' figures
                continue
