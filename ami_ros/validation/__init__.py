# SPDX-License-Identifier: Apache-2.0
"""Trials: the frozen protocol, planners to compare with, evaluation, benchmarks, reports."""
