"""From the journal's facts to the Outcome: what GET answers and what the topic carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from inservice.contracts import Attempt, Outcome, TimelineEntry
from inservice.deployments.ledger import ledger_of


@dataclass(frozen=True)
class Links:
    """Where people can look; built from the stack's own addresses."""

    region: str
    api_url: str = ""
    state_machine_arn: str = ""

    def of(self, deployment_id: str, facts: dict[str, Any]) -> dict[str, str]:
        """The links of one deployment; only those whose target is known."""
        console = f"https://{self.region}.console.aws.amazon.com"
        found = {"endpoint": f"{console}/sagemaker/home?region={self.region}#/endpoints/{facts['endpoint_name']}"}
        api_url = facts.get("api_url") or self.api_url
        if api_url:
            found["deployment"] = f"{api_url}/deployments/{deployment_id}"
            found["page"] = f"{api_url}/page#id={deployment_id}"
        if self.state_machine_arn:
            execution = self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{deployment_id}"
            found["execution"] = f"{console}/states/home?region={self.region}#/v2/executions/details/{execution}"
        if facts.get("log_group"):
            # The console escapes a path twice, with $ for the second percent sign.
            group = quote(quote(facts["log_group"], safe=""), safe="").replace("%", "$")
            found["logs"] = f"{console}/cloudwatch/home?region={self.region}#logsV2:log-groups/log-group/{group}"
        return found


def outcome_of(deployment_id: str, facts: dict[str, Any], links: Links, now: datetime) -> Outcome:
    """The Outcome as the journal tells it; `now` ends the bill of an attempt that is still under way."""
    timeline = [TimelineEntry.model_validate(value) for key, value in facts.items() if key.startswith("timeline.")]
    ledger = ledger_of(facts, now)
    numbers = range(1, int(facts.get("attempt_count") or 0) + 1)
    return Outcome(
        deployment_id=deployment_id,
        endpoint_name=facts["endpoint_name"],
        status=facts["status"],
        phase=facts["phase"],
        progress=facts.get("progress"),
        plan=facts.get("plan"),
        findings=tuple(facts.get("findings") or ()),
        diagnosis=facts.get("diagnosis"),
        attempts=tuple(_attempt(number, facts) for number in numbers),
        timeline=tuple(sorted(timeline, key=lambda entry: entry.at)),
        cost_usd=ledger.total_usd,
        ledger=ledger,
        links=links.of(deployment_id, facts),
    )


def _attempt(number: int, facts: dict[str, Any]) -> Attempt:
    return Attempt(
        number=number,
        plan=facts.get(f"attempt.{number}.plan"),
        diagnosis=facts.get(f"attempt.{number}.diagnosis"),
        changes=facts.get(f"attempt.{number}.changes") or {},
    )
