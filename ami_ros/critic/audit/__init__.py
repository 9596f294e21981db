# SPDX-License-Identifier: Apache-2.0
"""The audit log of the critic: written, chained, verified."""
