"""The deployment's journal: each state writes what it found, and the Outcome is read from it.

Every entry has a key of its own and is written once, so that a state may run twice without a second entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inservice.clock import Clock
from inservice.contracts import (
    DeploymentRequest,
    Diagnosis,
    Endpoint,
    Observation,
    Outcome,
    Phase,
    Planning,
    Settled,
    Status,
    TimelineEntry,
)
from inservice.deployments.outcome import Links, outcome_of
from inservice.errors import LISTED, NotFound
from inservice.ports import Deployments


@dataclass(frozen=True)
class Journal:
    """Writes one deployment's story into the table, and reads it back as an Outcome."""

    deployments: Deployments
    clock: Clock
    links: Links

    def planned(self, deployment_id: str, attempt: int, planning: Planning, changes: dict[str, Any]) -> None:
        """Validate's answer for one attempt."""
        detail = "The plan is made." if planning.accepted else "The request is refused."
        self._note(
            deployment_id,
            {"findings": _json(planning.findings), "plan": _json(planning.plan), "attempt_count": attempt},
            {f"attempt.{attempt}.plan": _json(planning.plan), f"attempt.{attempt}.changes": changes},
            {f"{attempt}.planned": ("queued", detail)},
        )

    def intends(self, deployment_id: str, attempt: int, endpoint: Endpoint) -> None:
        """What is about to be made; the first intention of an attempt stays."""
        self._note(deployment_id, {}, {f"attempt.{attempt}.intent": endpoint.as_json()}, {})

    def intended(self, deployment_id: str, attempt: int) -> Endpoint | None:
        """What was first to be made in this attempt; None when it has not come so far."""
        found = (self.deployments.read(deployment_id) or {}).get(f"attempt.{attempt}.intent")
        return Endpoint.model_validate(found) if found else None

    def provisioned(self, deployment_id: str, attempt: int, endpoint: Endpoint) -> None:
        """The endpoint is under way; from here on it costs money."""
        said = "SageMaker creates the endpoint." if endpoint.created else "SageMaker updates the endpoint."
        self._note(
            deployment_id,
            {"phase": "provision", "progress": 0.0, "log_group": endpoint.log_group},
            {
                f"attempt.{attempt}.started_at": endpoint.started_at.isoformat(),
                f"attempt.{attempt}.endpoint": endpoint.as_json(),
            },
            {f"{attempt}.provision": ("provision", said)},
        )

    def refused_by_sagemaker(self, deployment_id: str, attempt: int, words: str) -> None:
        """SageMaker would not make what was asked for."""
        self._note(deployment_id, {}, {}, {f"{attempt}.refused": ("provision", f"SageMaker refused: {words}")})

    def waiting(self, deployment_id: str, attempt: int, state: str) -> None:
        """The endpoint's name is held by a change that is not this deployment's."""
        words = f"The endpoint is {state}; waiting until that has ended."
        self._note(deployment_id, {}, {}, {f"{attempt}.waiting.{state}": ("provision", words)})

    def settled(self, deployment_id: str, attempt: int, settled: Settled) -> None:
        """What was only for the way there is gone, and the endpoint has its lease."""
        entries: dict[str, tuple[Phase, str]] = {
            f"{attempt}.removed.{name}": ("smoke_test", f"Removed {name}.") for name in settled.removed
        }
        if settled.lease_ends_at:
            entries[f"{attempt}.leased"] = ("smoke_test", f"The lease now ends at {settled.lease_ends_at.isoformat()}.")
        self._note(deployment_id, {}, {}, entries)

    def observed(self, deployment_id: str, attempt: int, seen: Observation) -> None:
        """One look; a phase enters the timeline when it is first seen."""
        losing = seen.watch.losing
        facts: dict[str, Any] = {"phase": seen.phase, "progress": seen.progress}
        facts |= {"ready_estimate_at": _at(seen.ready_estimate_at), "window_ends_at": _at(seen.window_ends_at)}
        entries = {f"{attempt}.{seen.phase}": (seen.phase, _PHASE_WORDS.get(seen.phase, seen.phase))}
        if seen.stalled:
            entries[f"{attempt}.stalled"] = (seen.phase, seen.stalled)
        if losing and seen.verdict == "losing":
            facts |= {"status": "LOSING", "diagnosis": _json(losing)}
            entries[f"{attempt}.losing"] = ("diagnose", f"The log proves this attempt is lost: {losing.summary}")
        if seen.verdict not in ("going_on", "losing"):
            entries[f"{attempt}.settled"] = (seen.phase, f"SageMaker has settled: {_VERDICT_WORDS[seen.verdict]}.")
        self._note(deployment_id, facts, {}, entries)

    def smoke_tested(self, deployment_id: str, attempt: int, answer: str | None, problem: str | None) -> None:
        """The one real request and what came of it."""
        said = f"It answered: {answer}" if answer else f"The smoke test failed: {problem}"
        self._note(deployment_id, {"answer": answer}, {}, {f"{attempt}.smoke_test": ("smoke_test", said[:500])})

    def diagnosed(
        self, deployment_id: str, attempt: int, diagnosis: Diagnosis, *, again: bool, why_not: str | None = None
    ) -> None:
        """Why the attempt failed, and whether there will be another."""
        said = f"{diagnosis.cause}: {diagnosis.summary}" + (" It is tried again with the remedy." if again else "")
        said += f" {why_not}" if why_not and not again else ""
        facts: dict[str, Any] = {"diagnosis": _json(diagnosis), "phase": "diagnose", "progress": None}
        facts |= {f"attempt.{attempt}.diagnosis": _json(diagnosis)}
        if again:
            facts |= {"status": "IN_PROGRESS"}
        self._note(deployment_id, facts, {}, {f"{attempt}.diagnosed": ("diagnose", said)})

    def cleaned_up(self, deployment_id: str, attempt: int, removed: tuple[str, ...], *, done: bool) -> None:
        """What a round of cleaning up removed; the attempt stops costing money when the endpoint is gone."""
        entries: dict[str, tuple[Phase, str]] = {
            f"{attempt}.removed.{name}": ("clean_up", f"Removed {name}.") for name in removed
        }
        first = {f"attempt.{attempt}.ended_at": self.clock.now().isoformat()} if done else {}
        self._note(deployment_id, {"phase": "clean_up", "progress": None}, first, entries)

    def closed(
        self, deployment_id: str, status: Status, diagnosis: Diagnosis | None, remaining: tuple[str, ...]
    ) -> None:
        """The end: the status that stays."""
        words = {"DEPLOYED": "Deployed.", "NOT_DEPLOYED": "Not deployed.", "REFUSED": "Refused."}
        facts: dict[str, Any] = {"status": status, "phase": "done", "progress": 1.0 if status == "DEPLOYED" else None}
        facts["diagnosis"] = _json(diagnosis)
        entries: dict[str, tuple[Phase, str]] = {"closed": ("done", words.get(status, status))}
        if remaining:
            entries["remaining"] = ("clean_up", f"Could not be removed: {', '.join(remaining)}.")
        attempts = (self.deployments.read(deployment_id) or {}).get("attempt_count", 0)
        first = {f"attempt.{attempts}.ended_at": self.clock.now().isoformat()} if attempts else {}
        self._note(deployment_id, facts, first, entries)

    def outcome(self, deployment_id: str) -> Outcome:
        """The story so far; raises NotFound for an id that was never given out."""
        facts = self.deployments.read(deployment_id)
        if facts is None:
            raise NotFound(f"there is no deployment {deployment_id}", fix=LISTED, field="deployment_id")
        return outcome_of(deployment_id, facts, self.links, self.clock.now())

    def told(self, facts: dict[str, Any]) -> Outcome:
        """The story in facts that a list has already read."""
        return outcome_of(facts["deployment_id"], facts, self.links, self.clock.now())

    def request(self, deployment_id: str) -> DeploymentRequest:
        """The request as it was accepted."""
        facts = self.deployments.read(deployment_id)
        if facts is None:
            raise NotFound(f"there is no deployment {deployment_id}", fix=LISTED, field="deployment_id")
        return DeploymentRequest.model_validate(facts["request"])

    def announced(self, deployment_id: str, status: Status) -> bool:
        """Whether this status was already sent to the topic."""
        return bool((self.deployments.read(deployment_id) or {}).get(f"announced.{status}"))

    def mark_announced(self, deployment_id: str, status: Status) -> None:
        """Remembers that this status was sent."""
        self._note(deployment_id, {}, {f"announced.{status}": self.clock.now().isoformat()}, {})

    def _note(
        self,
        deployment_id: str,
        facts: dict[str, Any],
        first: dict[str, Any],
        timeline: dict[str, tuple[Phase, str]],
    ) -> None:
        now = self.clock.now()
        entries = {
            f"timeline.{key}": TimelineEntry(at=now, phase=phase, detail=detail).as_json()
            for key, (phase, detail) in timeline.items()
        }
        self.deployments.note(deployment_id, {**facts, "updated_at": now.isoformat()}, {**first, **entries})


_PHASE_WORDS: dict[str, str] = {
    "queued": "Waiting.",
    "provision": "SageMaker finds instances.",
    "image": "The container starts.",
    "download": "The weights are downloaded.",
    "load": "The weights are loaded.",
    "compile": "The server compiles.",
    "warm_up": "The server warms up.",
    "ready": "The server is ready.",
}
_VERDICT_WORDS = {
    "in_service": "InService on this deployment's configuration",
    "failed": "Failed",
    "rolled_back": "back on the old configuration",
    "out_of_time": "it is past every window, and still not decided",
    "gone": "the endpoint is gone",
}


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return value.as_json() if value is not None else None


def _at(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
