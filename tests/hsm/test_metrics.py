"""Signatures are counted many at a time, as if each had been counted by itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from eseal.hsm.metrics import QUEUE_SECONDS, SIGN_SECONDS, Tally, observe_all
from eseal.sealcore import Lanes
from eseal.terms import Lane

if TYPE_CHECKING:
    from eseal.errors import EsealError

BUCKETS = tuple(bound for bound in SIGN_SECONDS._kwargs["buckets"])


def _samples(observe) -> list[tuple[str, str, float]]:
    histogram = Histogram("h", "h", ["key"], buckets=BUCKETS, registry=CollectorRegistry())
    observe(histogram.labels("k"))
    (metric,) = histogram.collect()
    return [
        (sample.name, sample.labels.get("le", ""), round(sample.value, 6))
        for sample in metric.samples
        if not sample.name.endswith("_created")
    ]


@given(st.lists(st.one_of(st.floats(0, 100), st.sampled_from(BUCKETS))))
def test_many_at_once_is_each_by_itself(amounts: list[float]) -> None:
    """Buckets, count and sum are the same, also on the bounds."""

    def each(histogram: Histogram) -> None:
        for amount in amounts:
            histogram.observe(amount)

    assert _samples(each) == _samples(lambda histogram: observe_all(histogram, amounts))


def test_tally_hands_over() -> None:
    """Nothing that threads observed is lost or counted twice, also while it is handed over."""

    def counted() -> list[float]:
        children = (SIGN_SECONDS.labels("tally"), QUEUE_SECONDS.labels(Lane.BULK.value))
        return [sum(bucket.get() for bucket in child._buckets) for child in children]

    before = counted()
    lanes: Lanes[EsealError] = Lanes(limit=10, bulk_share=4, sessions=1)
    tally = Tally(lanes)

    def observe() -> None:
        for _ in range(700):
            tally.signed("tally", [0.001, 0.002])
            lanes.sign("tally", [b""], Lane.BULK, 30.0)

    def serve() -> None:
        while not done.is_set():
            if (turn := lanes.take()) is not None:
                lanes.settle(turn, [b""] * len(turn.data))

    done = threading.Event()
    server = threading.Thread(target=serve)
    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in (server, *threads):
        thread.start()
    while any(thread.is_alive() for thread in threads):
        tally.hand_over()
    done.set()
    server.join()
    tally.hand_over()

    assert [5600, 2800] == [after - first for after, first in zip(counted(), before, strict=True)]
