# SPDX-License-Identifier: Apache-2.0
"""Runs the command line as `python -m ami_ros.cli`."""

import sys

from ami_ros.cli.main import main

sys.exit(main())
