"""The workers' numbers in Prometheus' own text form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

import ehc
from ehc.web.observed import BOUNDS, Snapshot

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text(snapshots: Iterable[Snapshot]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(list(snapshots)))
    return exposition.generate_latest(registry)


class _Numbers:
    """A collector of Prometheus' client."""

    def __init__(self, snapshots: list[Snapshot]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterator[Metric]:
        yield self._requests()
        yield self._seconds()
        yield self._verdicts()
        yield self._degraded()
        yield self._resident()
        info = GaugeMetricFamily("ehc_info", "The program", labels=["version"])
        info.add_metric([ehc.__version__], 1)
        yield info

    def _requests(self) -> Metric:
        labels = ["operation", "status"]
        family = CounterMetricFamily("ehc_requests", "Requests answered; status 0: cut off", labels=labels)
        total: Counter[tuple[str, int]] = Counter()
        for snapshot in self._snapshots:
            for operation, status, count in snapshot.requests:
                total[operation, status] += count
        for (operation, status), count in sorted(total.items()):
            family.add_metric([operation, str(status)], count)
        return family

    def _seconds(self) -> Metric:
        family = HistogramMetricFamily("ehc_request_seconds", "From the head to the answer", labels=["operation"])
        total: dict[str, list[float]] = {}
        for snapshot in self._snapshots:
            for operation, row in snapshot.seconds.items():
                before = total.get(operation, [0.0] * len(row))
                total[operation] = [a + b for a, b in zip(before, row, strict=True)]
        for operation, row in sorted(total.items()):
            family.add_metric([operation], _cumulative(row), row[-1])
        return family

    def _verdicts(self) -> Metric:
        family = CounterMetricFamily("ehc_verifications", "Codes checked, by verdict", labels=["reason"])
        total: Counter[str] = Counter()
        for snapshot in self._snapshots:
            total.update(snapshot.verdicts)
        for reason, count in sorted(total.items()):
            family.add_metric([reason], count)
        return family

    def _degraded(self) -> Metric:
        family = CounterMetricFamily("ehc_degraded_acceptances", "Codes accepted while Redis was gone")
        family.add_metric([], sum(snapshot.degraded for snapshot in self._snapshots))
        return family

    def _resident(self) -> Metric:
        family = GaugeMetricFamily("ehc_worker_resident_bytes", "Memory of a worker that runs", labels=["worker"])
        for snapshot in self._snapshots:
            if snapshot.alive:
                family.add_metric([str(snapshot.pid)], snapshot.resident)
        return family


def _cumulative(row: list[float]) -> list[tuple[str, float]]:
    buckets, so_far = [], 0.0
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], row, strict=False):
        so_far += count
        buckets.append((bound, so_far))
    return buckets
