# SPDX-License-Identifier: Apache-2.0
"""Stands here so that the tests of this folder find its helper modules."""
