"""Keep the connection's text that is sent out of the records of py4j.

At DEBUG py4j logs each command to the JVM, and one of them hands on the variable of the
connection. Its other records are kept.
"""

from __future__ import annotations

import logging

LOGGERS = ("py4j.clientserver", "py4j.java_gateway")
# A text among the arguments of a command, as py4j writes it.
ARGUMENT = "\nsAIRFLOW_CONN_"


def keep_from_logs() -> None:
    """Drop the records that hold a connection's text; once more has no effect."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_has_no_text)


def _has_no_text(record: logging.LogRecord) -> bool:
    return ARGUMENT not in record.getMessage()
