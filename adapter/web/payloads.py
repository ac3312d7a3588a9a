"""JSON of the page, from the view alone. NaN becomes null: JSON knows no other word for "nothing"."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from adapter.answers import Answers, NotServed
from adapter.catalog import Entry
from adapter.explain import Decision, Explanation
from adapter.metrics import REPLICAS_SCALING, REPLICAS_SCHEDULE, Form
from adapter.view import View
from cme.core.batch import Batch
from cme.core.distrust import unpacked
from cme.core.identity import UNITS
from cme.core.reasons import codes, explain, reasons_of

Json = dict[str, Any]

LEADS_MINUTES = (5, 15, 30, 60, 360)
QUANTILES = ("q50", "q95")
TARGETS = ("at", "max")
COMPARED = ("coverage", "baseline_coverage", "loss_ratio", "over_ratio", "bias_ratio", "compared")
"""Columns of a record of `trust`, after target and lead."""
ROW_OF_WORKLOAD = ("value", "age_ms", "measured_age_ms", "floor", "ceiling")
ROW_OF_SIGNAL = (
    "value",
    "age_ms",
    "raw",
    "measured_age_ms",
    "predicted",
    "predicted_age_ms",
    "need",
    "slowed",
    "lead_ms",
    "drain",
    "came",
)
"""What a decision says of each."""


def workloads(view: View, answers: Answers) -> Json:
    """Every workload with what is served for it now, and why; policies that are not in effect as they are written."""
    now = view.clock.now_ms()
    return {
        "now_ms": now,
        "ready": view.ready,
        "refused": [{"policy": key, "problem": problem} for key, problem in sorted(view.refused.items())],
        "workloads": [_workload(e, view, answers) for e in view.catalog.entries],
    }


def history(entry: Entry, signal: str, hours: bool, view: View) -> Json:
    """Minutes of six hours or hours of 28 days, the forecast from now on, and what was served."""
    series, past = entry.signals[signal], view.hours if hours else view.minutes
    since = view.clock.now_ms() - (28 * 86_400_000 if hours else 6 * 3_600_000)
    times, columns = past.get(series, since)
    served_times, served = view.served.get(series, since)
    return {
        "times_ms": times,
        "mean": _nulls(columns["mean"]),
        "max": _nulls(columns["max"]),
        "served_ms": served_times,
        "served": _nulls(served["value"]),
        "forecast": _forecast(series, view),
        "parts": json.loads(view.parts.get(series) or "null"),
    }


def explained(explanation: Explanation) -> Json:
    """What was decided for a workload at a moment, and why."""
    replicas, running = explanation.replicas, explanation.running
    return {
        "id": str(explanation.workload),
        "at_ms": explanation.at_ms,
        "problem": explanation.problem,
        "replicas": replicas and _decision(replicas, ROW_OF_WORKLOAD),
        "running": running and asdict(running),
        "signals": [
            {"name": name, "unit": UNITS.get(name, "1"), **_decision(decision, ROW_OF_SIGNAL)}
            for name, decision in explanation.signals.items()
        ],
    }


def _workload(entry: Entry, view: View, answers: Answers) -> Json:
    workload = entry.workload
    return {
        "id": str(workload),
        "namespace": workload.namespace,
        "resource": entry.resource,
        "name": workload.name,
        "replicas": _metric(entry, REPLICAS_SCALING, answers),
        "floor": _metric(entry, REPLICAS_SCHEDULE, answers),
        "quantile": entry.policy.spec.forecast.covered,
        "lead_ms": entry.policy.spec.forecast.lead_ms(answers.told(entry).lead_ms),
        "reasons": _reasons(view.decisions.get("reasons", entry.replicas_id)),
        "signals": [_signal(entry, name, series, view, answers) for name, series in entry.signals.items()],
    }


def _signal(entry: Entry, name: str, series: int, view: View, answers: Answers) -> Json:
    forms = {form.name.lower(): _metric(entry, f"{name}{form.value}", answers) for form in Form}
    return {
        "name": name,
        "unit": UNITS.get(name, "1"),
        "reasons": _reasons(view.decisions.get("reasons", series)),
        "coverage": view.samples.get("coverage", series),
        "trust": _trust(series, view),
        **forms,
    }


def _decision(decision: Decision, fields: Iterable[str]) -> Json:
    values = {name: getattr(decision, name) for name in fields}
    told = {name: value if value is None or math.isfinite(value) else None for name, value in values.items()}
    return {"problem": decision.problem, **told, "reasons": _reasons(decision.reasons)}


def _metric(entry: Entry, metric: str, answers: Answers) -> Json:
    """The value with its time, or the sentence that the HPA would get."""
    try:
        served = answers.metric(entry, metric)
    except NotServed as error:
        return {"error": str(error)}
    return {"value": served.milli / 1000, "time_ms": served.timestamp_ms}


def _reasons(bits: int) -> list[Json]:
    return [{"code": code, "text": text} for code, text in zip(codes(bits), explain(bits), strict=True)]


def _forecast(series: int, view: View) -> Json | None:
    """Median and .95 quantile of the minute mean at each lead; whether any quantile still lacks errors of its own; since
    when a shifted level holds."""
    batch, row = _found(series, view.forecasts)
    if batch is None:
        return None
    return {
        "made_ms": batch.time_ms,
        "uncalibrated": bool(batch.numbers("uncalibrated")[row]),
        "shifted_ms": int(batch.numbers("shifted_ms")[row]) or None,
        "leads_ms": [minutes * 60_000 for minutes in LEADS_MINUTES],
        **{q: _nulls([float(batch.numbers(f"at.{m}m.{q}")[row]) for m in LEADS_MINUTES]) for q in QUANTILES},
    }


def _trust(series: int, view: View) -> Json | None:
    """What became of the last day's forecasts: by target and lead the figures beside the opponent's, and the verdict."""
    batch, row = _found(series, view.trust)
    if batch is None:
        return None
    causes = unpacked(batch.numbers("distrust")[[row]], len(TARGETS) * len(LEADS_MINUTES))[:, 0].tolist()
    cells = [
        _cell(target, minutes, causes[len(TARGETS) * lead + number], batch, row)
        for number, target in enumerate(TARGETS)
        for lead, minutes in enumerate(LEADS_MINUTES)
    ]
    return {"told_ms": batch.time_ms, "cells": cells}


def _cell(target: str, minutes: int, causes: int, batch: Batch, row: int) -> Json:
    values = [float(batch.numbers(f"{target}.{minutes}m.{name}")[row]) for name in COMPARED]
    return {
        "target": target,
        "lead_ms": minutes * 60_000,
        "trusted": causes == 0,
        "reasons": _reasons(int(reasons_of(np.array([causes], dtype=np.uint8))[0])),
        **dict(zip(COMPARED, _nulls(values), strict=True)),
    }


def _found(series: int, blocks: Mapping[str, Batch]) -> tuple[Batch | None, int]:
    """The record that holds a series, and its row there."""
    for batch in blocks.values():
        rows = (batch.series == series).nonzero()[0]
        if len(rows):
            return batch, int(rows[0])
    return None, 0


def _nulls(values: list[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
