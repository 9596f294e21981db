# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of the critic, its files, its log and the parameters."""
