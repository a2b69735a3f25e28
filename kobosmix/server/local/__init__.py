"""A small server on this machine that answers as KoboToolbox does.

It is for rehearsal, training and fieldwork on one laptop. `run` starts it, `accounts` lets
people in.
"""
