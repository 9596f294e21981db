# SPDX-License-Identifier: Apache-2.0
"""A robot mind of small modules that learns its world from its own camera and plans inside it."""

__version__ = '0.1.0'
