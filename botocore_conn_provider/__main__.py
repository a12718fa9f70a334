"""Run the command line: `python -m botocore_conn_provider`."""

from __future__ import annotations

import sys

from botocore_conn_provider.startup.command import main

sys.exit(main())
