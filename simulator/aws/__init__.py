"""The engine: an AWS emulator that takes logs, metrics and events, and is asked for roles, objects and alarms.

Every part works without one as well: logs stay in memory, roles are trusted, objects are those of the control door.
"""
