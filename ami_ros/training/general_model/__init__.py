# SPDX-License-Identifier: Apache-2.0
"""Trains the general model: it compares two images of any place, and learns no single place."""
