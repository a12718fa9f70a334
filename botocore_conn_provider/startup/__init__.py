"""Be active from the interpreter's start, by environment alone.

site ─▶ sitecustomize | .pth | .start ─▶ hook.arm() ─▶ import botocore ─▶ first session

This module, `hook` and `autoload/sitecustomize.py` run in every process that starts,
most of which never use AWS. They load `os` and `sys` and nothing else: hence no
`from __future__ import annotations` here, which is a module too.
"""
