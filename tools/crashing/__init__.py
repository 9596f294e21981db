# SPDX-License-Identifier: Apache-2.0
"""Kills and power cuts for the store of modules; tools/crash.py and the tests use them."""
