# SPDX-License-Identifier: Apache-2.0
"""Whole stacks that are started, driven and measured: sessions, benchmarks, campaigns."""
