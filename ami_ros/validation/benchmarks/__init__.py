# SPDX-License-Identifier: Apache-2.0
"""Measurements of latency and cost; each module is a program."""
