"""Arguments that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore_conn_provider.connection.environment import hide_wrong_id

if TYPE_CHECKING:
    import argparse


def add_conn_id(parser: argparse.ArgumentParser) -> None:
    """Declare which connection is meant. What may be a connection itself is not kept."""
    parser.add_argument(
        "--conn-id",
        metavar="ID",
        type=hide_wrong_id,
        help="the connection (default: BOTOCORE_CONN_ID, else aws_default)",
    )


def add_log_asks(parser: argparse.ArgumentParser) -> None:
    """Declare whether each ask of a program is told."""
    parser.add_argument(
        "--log-asks",
        action="store_true",
        help="log to standard error when a program asks for credentials",
    )


def find_program(words: list[str]) -> list[str] | None:
    """Return the program that stands behind `--`; None if there is none."""
    program = words[1:] if words[:1] == ["--"] else words
    return program if program and program[0] else None
