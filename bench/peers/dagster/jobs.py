"""The workloads of BENCH_WORKLOADS as jobs, for BENCH_EXECUTOR. Processes of steps import this file again."""

import json
import os
import time

from dagster import In, Nothing, in_process_executor, job, multiprocess_executor, op

EXECUTORS = {
    "in_process": in_process_executor,
    "multiprocess": multiprocess_executor.configured({"max_concurrent": 8}),
}


@op(ins={"before": In(Nothing)})
def step():
    pass


@op
def clock():
    with open(os.environ["BENCH_CLOCK"], "w") as file:
        file.write(str(time.time()))


def chain(steps):
    before = step.alias("step_0")()
    for index in range(1, steps):
        before = step.alias(f"step_{index}")(before)


def fan(steps):
    first = step.alias("first")()
    step.alias("last")([step.alias(f"middle_{index}")(first) for index in range(steps)])


def trigger():
    clock()


def name_of(workload):
    return f"{workload['shape']}_{workload.get('steps', 1)}"


def body_of(workload):
    match workload["shape"]:
        case "chain" | "burst":
            return lambda: chain(workload["steps"])
        case "fan":
            return lambda: fan(workload["steps"])
        case "trigger":
            return trigger


for workload in json.loads(os.environ["BENCH_WORKLOADS"]):
    name = name_of(workload)
    executor = EXECUTORS[os.environ["BENCH_EXECUTOR"]]
    globals()[name] = job(name=name, executor_def=executor)(body_of(workload))
