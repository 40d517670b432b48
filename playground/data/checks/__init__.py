"""Looking a data set over: statistics, and what may be wrong with it."""

from __future__ import annotations

from playground.data.checks.report import Finding, Report, check

__all__ = ["Finding", "Report", "check"]
