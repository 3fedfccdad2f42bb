"""The workloads of BENCH_WORKLOADS as DAGs of tasks that do nothing."""

import json
import os
import time
from datetime import datetime

from airflow.sdk import DAG, task


@task
def step():
    pass


@task
def clock():
    with open(os.environ["BENCH_CLOCK"], "w") as file:
        file.write(str(time.time() * 1000))


def chain(steps):
    before = step.override(task_id="step-0")()
    for index in range(1, steps):
        after = step.override(task_id=f"step-{index}")()
        before >> after
        before = after


def fan(steps):
    first = step.override(task_id="first")()
    last = step.override(task_id="last")()
    for index in range(steps):
        first >> step.override(task_id=f"middle-{index}")() >> last


for workload in json.loads(os.environ["BENCH_WORKLOADS"]):
    name = workload["name"]
    limits = {"max_active_runs": 50, "max_active_tasks": 2000}
    with DAG(name, schedule=None, catchup=False, start_date=datetime(2024, 1, 1), **limits) as dag:
        match workload["shape"]:
            case "chain" | "burst":
                chain(workload["steps"])
            case "fan":
                fan(workload["steps"])
            case "trigger":
                clock()
    globals()[name] = dag
