"""Getting the model: from the hub with a token, or from /opt/ml/model; full disks and refusals included."""

from __future__ import annotations

from simulator.serving.filling import DISK
from simulator.serving.repository import HubRefused, Repository, from_hub, from_listing
from simulator.serving.situation import Situation
from simulator.serving.story import Lost, Story

_SITE = "https://huggingface.co"


def find(situation: Situation, name: str, revision: str, token: str | None) -> Repository:
    """The repository a server is pointed at; HubRefused as the hub client raises it."""
    if name.startswith("/"):
        if situation.local is None:
            raise HubRefused("missing", 0, name)
        return from_listing(situation.local)
    if situation.isolated or situation.environment.get("HF_HUB_OFFLINE") == "1":
        raise HubRefused("network", 0, f"{_SITE}/{name}/resolve/{revision}/config.json")
    return from_hub(situation.hub_url, name, revision, token)


def download_seconds(situation: Situation, repository: Repository) -> float:
    """Seconds to download all weights from the hub; none for a local model."""
    return 0.0 if repository.local else repository.weights_gib * 1024 / situation.machine.hub_mib_per_second


def disk_is_too_small(situation: Situation, repository: Repository) -> bool:
    """Whether the weights do not fit the disk they are downloaded to."""
    return not repository.local and repository.weights_gib * 1.0737 > situation.machine.disk_gb


def fill_disk(situation: Situation, story: Story, repository: Repository, seconds: float) -> None:
    """The weights arrive on the disk over so many seconds; a local model's are there already."""
    if not repository.local:
        story.fill(DISK, min(100.0, 100 * repository.weights_gib * 1.0737 / situation.machine.disk_gb), seconds)


def refusal_text(refused: HubRefused, name: str, revision: str) -> str:
    """The exception's last lines as huggingface_hub words them."""
    file = f"{_SITE}/{name}/resolve/{revision}/config.json"
    if refused.kind == "gated" and refused.status == 401:
        return (
            f"huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-simulated)\n\n"
            f"Cannot access gated repo for url {file}.\nAccess to model {name} is restricted. You must have "
            f"access to it "
            "and be authenticated to access it. Please log in."
        )
    if refused.kind == "gated":
        return (
            f"huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-simulated)\n\n"
            f"Cannot access gated repo for url {file}.\nAccess to model {name} is restricted and you are not in the "
            f"authorized list. Visit {_SITE}/{name} to ask for access."
        )
    if refused.kind == "revision":
        return (
            f"huggingface_hub.errors.RevisionNotFoundError: 404 Client Error. (Request ID: Root=1-simulated)\n\n"
            f"Revision Not Found for url: {file}.\nInvalid rev id: {revision}"
        )
    if refused.kind == "missing":
        return (
            f"huggingface_hub.errors.RepositoryNotFoundError: {refused.status or 404} Client Error. (Request ID: "
            f"Root=1-simulated)\n\nRepository Not Found for url: "
            f"{_SITE}/api/models/{name}/revision/{revision}.\nPlease "
            "make sure you specified the correct `repo_id` and `repo_type`."
        )
    return (
        "requests.exceptions.ConnectionError: (MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', "
        "port=443): Max "
        f"retries exceeded with url: /{name}/resolve/{revision}/config.json (Caused by NameResolutionError: Failed to "
        "resolve 'huggingface.co' ([Errno -3] Temporary failure in name resolution))\"))"
    )


def full_disk(story: Story, repository: Repository, disk_gb: float, per_file: float) -> Lost:
    """Downloads until the disk is full; raise the result."""
    seconds = per_file * max(1, int(disk_gb / max(0.1, repository.weights_gib / len(repository.weight_files))))
    story.fill(DISK, 100.0, seconds)
    story.wait(seconds)
    story.say(
        "RuntimeError: Data processing error: CAS service error : IO Error: No space left on device (os error 28)\n"
        "OSError: [Errno 28] No space left on device"
    )
    return story.lose()
