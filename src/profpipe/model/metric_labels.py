"""What the figures of one report are called where several stand side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from profpipe.model.metric_keys import CLEAN
from profpipe.model.report import MetricInfo


def labels_apart(metrics: Sequence[MetricInfo]) -> dict[str, str]:
    """Key -> label; one that several share names its profiler too: "CPU time per request (perf)"."""
    times = Counter(metric.label for metric in metrics)
    return {
        m.key: f"{m.label} ({m.profiler})" if times[m.label] > 1 and m.profiler != CLEAN else m.label for m in metrics
    }
