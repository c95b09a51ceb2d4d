"""The known failures as data: how each looks, how close to the root it is, what it says and what cures it."""

from inservice.diagnosis.failures.failure import Failure
from inservice.diagnosis.failures.hub import HUB_FAILURES
from inservice.diagnosis.failures.memory import MEMORY_FAILURES
from inservice.diagnosis.failures.model import MODEL_FAILURES
from inservice.diagnosis.failures.platform import PLATFORM_FAILURES
from inservice.diagnosis.failures.reason import REASON_FAILURES

# What a server's log shows, and what SageMaker says.
LOG_FAILURES: tuple[Failure, ...] = (*MEMORY_FAILURES, *HUB_FAILURES, *MODEL_FAILURES, *PLATFORM_FAILURES)

__all__ = ["LOG_FAILURES", "REASON_FAILURES"]
