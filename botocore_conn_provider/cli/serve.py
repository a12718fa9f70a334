"""`serve`: hand the connection's credentials to long-lived neighbours on this machine.

The port is taken first, so that a second `serve` ends before it touches a file of the
first. Then comes the exchange; meanwhile, who asks waits. What neighbours need is
printed when the first credentials are in memory, and the ready file is there when that
is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from typing import TYPE_CHECKING

from botocore_conn_provider.cli import exit_codes as exits
from botocore_conn_provider.cli.arguments import add_conn_id, add_log_asks
from botocore_conn_provider.cli.main import complain

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from botocore_conn_provider.cli.end_signals import EndSignals
    from botocore_conn_provider.cli.handing_on import Prepared
    from botocore_conn_provider.cli.serve_metrics import ServeMetrics
    from botocore_conn_provider.endpoint.endpoint import Answered, Endpoint
    from botocore_conn_provider.endpoint.supply import Supply

SUMMARY = "hand the connection's credentials to programs beside this one"
DESCRIPTION = """\
Serve the connection's credentials to the programs that share this machine, pod or
network namespace, as AWS's container agents do: every AWS SDK knows how to ask.

It listens on 127.0.0.1 only, and answers who shows the token of a file that only this
user can read. When the first credentials are there, it prints what the other programs
need in their environment, and renews the credentials ahead until SIGTERM ends it."""
EPILOG = """\
/healthz at the same port tells without a token whether the credentials are fresh;
/metrics tells with it, for Prometheus, what was renewed and asked on this machine.

examples:
  botocore-conn serve --ready-file /tmp/aws.env > /dev/null &
  until [ -e /tmp/aws.env ]; do sleep 0.1; done; . /tmp/aws.env; aws s3 ls

  botocore-conn serve --port 9911 --token-file /run/aws/token
      both stay the same after a restart, so nobody has to be told again"""

# The token protects the credentials; a path that stays can be written into a manifest.
PATH = "/credentials"
HIGHEST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_conn_id(parser)
    parser.add_argument(
        "--port",
        metavar="N",
        type=read_port,
        default=0,
        help="on 127.0.0.1 (default: any that is free)",
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=os.path.abspath,
        help="keep the token here, and use the one that is there (default: a new one)",
    )
    parser.add_argument(
        "--ready-file",
        metavar="FILE",
        type=os.path.abspath,
        help="write what is printed here too; it is there while there is an endpoint",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; null is: not set"
    )
    add_log_asks(parser)


def read_port(text: str) -> int:
    """Return the number of a port."""
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError("it must be a number from 0 to 65535")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    from botocore_conn_provider.cli.end_signals import EndedError, EndSignals
    from botocore_conn_provider.cli.serve_places import CannotServeError

    if arguments.ready_file and arguments.ready_file == arguments.token_file:
        complain("--token-file and --ready-file name the same file")
        return exits.USAGE
    with EndSignals() as signals:
        try:
            serve(arguments, signals)
        except CannotServeError as error:
            complain(str(error))
            return exits.FAILED
        except EndedError:
            pass
    return exits.OK


def serve(arguments: argparse.Namespace, signals: EndSignals) -> None:
    """Serve for ever.

    Raises:
        EndedError: A signal has ended it.
        CannotServeError: The port or a file cannot be had.
        ConnProviderError: There are no credentials.
    """
    from botocore_conn_provider.cli.handing_on import prepare
    from botocore_conn_provider.cli.idle_renewal import keep_fresh, tell_failures
    from botocore_conn_provider.cli.serve_places import (
        be_ready,
        remove_former,
        take_port,
    )

    with contextlib.closing(take_port(arguments.port)) as listener:
        remove_former(arguments.ready_file)
        with signals.waiting():
            prepared = prepare(arguments.conn_id)
        supply = require_supply(prepared)
        with hand_on(prepared, listener, arguments) as endpoint:
            text = write_out(endpoint, prepared, arguments)
            with be_ready(arguments.ready_file, text), tell_failures():
                conn_id = prepared.settings.conn_id
                complain(f"serves the connection '{conn_id}' at {endpoint.url}")
                keep_fresh(supply, signals)


def require_supply(prepared: Prepared) -> Supply:
    """Return what is served.

    Raises:
        CannotServeError: The keys are for no endpoint.
    """
    # Imported here: when it is needed.
    from botocore_conn_provider.cli.serve_places import CannotServeError

    if prepared.supply is None:
        raise CannotServeError(
            f"the keys of the connection '{prepared.settings.conn_id}' have no session"
            " token, and most engines cannot take such from an endpoint: AWS refuses"
            " what they send. Run programs by `botocore-conn exec`, which gives them"
            " the keys in variables, or name a role_arn, whose credentials can be"
            " served."
        )
    return prepared.supply


@contextlib.contextmanager
def hand_on(
    prepared: Prepared, listener: socket.socket, arguments: argparse.Namespace
) -> Iterator[Endpoint]:
    """Open the endpoint, and close it in the end.

    Raises:
        CannotServeError: The token's file cannot be used.
    """
    from botocore_conn_provider.cli.handing_on import hear_asks
    from botocore_conn_provider.cli.serve_places import CannotServeError, take_token
    from botocore_conn_provider.endpoint.endpoint import Endpoint

    supply = require_supply(prepared)
    token_file = take_token(arguments.token_file)
    metrics = create_metrics(supply, prepared)
    log = hear_asks("serve", logs=arguments.log_asks)

    def hear(answered: Answered) -> None:
        metrics.count_answer(answered)
        log(answered)

    try:
        endpoint = Endpoint(
            supply,
            listener=listener,
            token_file=token_file,
            path=PATH,
            on_answer=hear,
            write_metrics=metrics.write,
        )
    except (OSError, RuntimeError) as error:  # no file descriptor left, or no thread
        raise CannotServeError(
            f"the endpoint cannot be opened ({type(error).__name__})."
        ) from None
    with contextlib.closing(endpoint), metrics.counting():
        yield endpoint


def create_metrics(supply: Supply, prepared: Prepared) -> ServeMetrics:
    """Return what counts for `/metrics`."""
    from botocore_conn_provider.cli.serve_metrics import ServeMetrics
    from botocore_conn_provider.renewal.store.machine_store import find_store
    from botocore_conn_provider.renewal.store.places import ON

    settings = prepared.settings
    store_path = find_store(settings.own.store or ON, prepared.snapshot)
    return ServeMetrics(supply, conn_id=settings.conn_id, store_path=store_path)


def write_out(
    endpoint: Endpoint, prepared: Prepared, arguments: argparse.Namespace
) -> str:
    """Print what neighbours need, and return it.

    Raises:
        CannotServeError: It cannot be printed.
    """
    from botocore_conn_provider.cli.serve_places import print_whole
    from botocore_conn_provider.cli.serve_variables import (
        list_variables,
        write_json,
        write_shell,
    )

    region_name = prepared.settings.client.region_name
    served = list_variables(endpoint, region_name, prepared.snapshot.environ)
    text = (write_json if arguments.json else write_shell)(served)
    print_whole(text)
    return text
