# SPDX-License-Identifier: Apache-2.0
"""Evaluation in scenes that the model never saw: a tour first, then goal pictures."""
