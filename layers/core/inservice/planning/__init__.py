"""Planning: everything that can be known before a cent is spent."""

from inservice.planning.plan import plan_document, plan_request
from inservice.planning.reading import read_request

__all__ = ["plan_document", "plan_request", "read_request"]
