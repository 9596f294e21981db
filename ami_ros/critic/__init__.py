# SPDX-License-Identifier: Apache-2.0
"""The critic (safety filter): rules that every command passes."""
