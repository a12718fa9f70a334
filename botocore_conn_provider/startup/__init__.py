"""Activate the package at the interpreter's start, without changing the program.

site ─▶ sitecustomize | .pth | .start ─▶ hook.arm() ─▶ import botocore ─▶ first session

This module, `hook` and `autoload/sitecustomize.py` run in every process that starts,
most of which never use AWS. So they import `os` and `sys` only, and not even
`from __future__ import annotations`, which would load another module.
"""
