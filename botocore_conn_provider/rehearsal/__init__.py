"""Rehearse the hour: give credentials a short life, and see who goes on using dead ones.

Loaded only where a program, a command or a variable asks for it. `start` puts it in
place in one process, `findings` reads what all processes of a job have noted.
"""
