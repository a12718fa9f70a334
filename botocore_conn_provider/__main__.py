"""Run the command line: `python -m botocore_conn_provider`."""

import sys

from botocore_conn_provider.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
