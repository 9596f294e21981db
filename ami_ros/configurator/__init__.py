# SPDX-License-Identifier: Apache-2.0
"""Modes, goals, compute budget and supervision of the nodes."""
