# SPDX-License-Identifier: Apache-2.0
"""Recorded drives done again: what was seen through the mind, what was told through the critic."""
