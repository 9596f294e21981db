# SPDX-License-Identifier: Apache-2.0
"""The command line `ami-ros`: one verb, one file."""
