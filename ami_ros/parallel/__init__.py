# SPDX-License-Identifier: Apache-2.0
"""Independent items of work on several processes: of this machine, or of a Ray cluster."""
