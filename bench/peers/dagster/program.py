"""Carries out jobs of jobs.py with the library, on the instance of DAGSTER_HOME."""

import os
import time

from dagster import DagsterInstance, execute_job
from dagster._core.definitions.reconstruct import ReconstructableJob

import jobs
from conversation import serve


def execute(instance, workload):
    name = jobs.name_of(workload)
    if not execute_job(ReconstructableJob.for_module("jobs", name), instance=instance).success:
        raise RuntimeError(f"{name} failed")


def carry_out(instance, workload):
    started_at = time.time()
    for _ in range(workload.get("runs", 1)):
        execute(instance, workload)
    if workload["shape"] == "trigger":
        with open(os.environ["BENCH_CLOCK"]) as file:
            return (float(file.read()) - started_at) * 1000
    return (time.time() - started_at) * 1000


if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        serve(lambda workload: carry_out(instance, workload))
