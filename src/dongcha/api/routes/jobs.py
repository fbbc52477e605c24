"""Long work: start it, see how far it is, end it. One at a time, in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict

from dongcha.access.scopes import Caller, Scope
from dongcha.api.guard import OpenShop, require
from dongcha.api.logs import clean
from dongcha.jobs.background import Job, Kind

router = APIRouter(tags=["jobs"])
Admin = Annotated[Caller, Depends(require(Scope.ADMIN))]
JobId = Annotated[str, Path(max_length=40)]


class Wanted(BaseModel):
    """What to start."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind


@router.post("/v1/jobs", status_code=202)
def start(wanted: Wanted, caller: Admin, shop: OpenShop) -> Job:
    """Start a job. Answered 409 where one is running."""
    job = shop.background.start(wanted.kind, str(caller))
    shop.access.note(str(caller), "start", f"job {job.job_id}", kind=job.kind)
    return _told(job)


@router.get("/v1/jobs", dependencies=[Depends(require(Scope.ADMIN))])
def jobs(shop: OpenShop) -> list[Job]:
    """The last 50 jobs, newest first."""
    return [_told(job) for job in shop.background.jobs()]


@router.get("/v1/jobs/{job_id}", dependencies=[Depends(require(Scope.ADMIN))])
def job(job_id: JobId, shop: OpenShop) -> Job:
    """How one job stands."""
    return _told(shop.background.job(job_id))


@router.post("/v1/jobs/{job_id}/cancel")
def cancel(job_id: JobId, caller: Admin, shop: OpenShop) -> Job:
    """End a running job; what it had finished stays. Answered 409 where it has ended."""
    job = shop.background.cancel(job_id, str(caller))
    shop.access.note(str(caller), "cancel", f"job {job.job_id}", kind=job.kind)
    return _told(job)


def _told(job: Job) -> Job:
    """The job as it may be shown: what it printed without secrets."""
    return replace(job, output=clean(job.output))
