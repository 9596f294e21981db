# SPDX-License-Identifier: Apache-2.0
"""Kills and power cuts for the store of modules; the campaign and the tests use them."""
