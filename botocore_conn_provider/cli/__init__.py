"""The command line: see, understand and use the connection from anywhere.

One module for each subcommand; `command_line` holds their table. A subcommand's
module is loaded only when it is named, because `credential-process` is run for
every program that wants credentials and may not pay for the others.
"""
