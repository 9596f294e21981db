# SPDX-License-Identifier: Apache-2.0
"""Policies: which hard rules run on a robot, with which numbers, and where those come from."""
