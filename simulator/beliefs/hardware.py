"""Instance types: what a container finds when it starts on one."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.beliefs.tables import table

# GiB that a driver reports for one device, by accelerator, where a public start-up log shows it; the rest is EC2's
# figure less the share the driver keeps (22888 MiB is reported, 21.95 to 22.30 GiB is usable on A10G).
_DRIVER_SHARE = 0.985
# "Default EBS volume 30 GB" on types without local disk: SageMaker large-model-hosting parameters page.
DEFAULT_EBS_GB = 30


@dataclass(frozen=True)
class Hardware:
    """One instance: host memory and disk in GiB and GB, and its accelerators."""

    instance_type: str
    vcpu: int
    ram_gib: float
    nvme_gb: int
    gpu: str | None
    gpus: int
    gpu_gib: float
    compute_capability: tuple[int, int] | None

    def disk_gb(self, volume_gb: int | None) -> int:
        """The disk a container can fill: local NVMe, else the EBS volume."""
        return self.nvme_gb or volume_gb or DEFAULT_EBS_GB


def hardware(instance_type: str) -> Hardware | None:
    """The hardware of a hosting type; None when the type is not known."""
    row = table("instances")["types"].get(instance_type)
    if row is None:
        return None
    capability = row["compute_capability"]
    return Hardware(
        instance_type=instance_type,
        vcpu=row["vcpu"] or 4,
        ram_gib=row["ram_gib"] or 16,
        nvme_gb=row["nvme_gb"] or 0,
        gpu=row["gpu"] if row["kind"] == "gpu" else None,
        gpus=row["gpus"] if row["kind"] == "gpu" else 0,
        gpu_gib=_gpu_gib(row),
        compute_capability=_pair(capability) if capability else None,
    )


def refuses_volume(instance_type: str) -> bool:
    """Whether VolumeSizeInGB is refused: every type with local NVMe storage."""
    row = table("instances")["types"].get(instance_type)
    return bool(row and row["nvme_gb"])


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _gpu_gib(row: dict) -> float:
    measured = table("gpu_memory")["gpu_total_gib"]
    gib = (row["gpu_mib"] or 0) / 1024
    near = measured.get(row["gpu"] or "")
    # The same name covers two sizes (A100 40 and 80 GB), so a measured total counts only when it is this size.
    return near if near and abs(near - gib) < 3 else round(gib * _DRIVER_SHARE, 2)
