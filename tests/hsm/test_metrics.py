"""Signatures are counted many at a time, as if each had been counted by itself."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from eseal.hsm.metrics import QUEUE_SECONDS, SIGN_SECONDS, Tally, observe_all
from eseal.terms import Lane

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
    tally = Tally()

    def observe() -> None:
        for _ in range(700):
            tally.signed("tally", [0.001, 0.002])
            tally.waited(Lane.BULK, 0.01)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        tally.hand_over()
    tally.hand_over()

    assert [5600, 2800] == [after - first for after, first in zip(counted(), before, strict=True)]
