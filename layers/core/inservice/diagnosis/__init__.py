"""Why a start failed: the cause, the lines that prove it, and the change that cures it."""

from inservice.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
