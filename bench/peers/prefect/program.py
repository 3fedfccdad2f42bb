"""Flows of tasks that do nothing, in this process, told to the server of PREFECT_API_URL."""

import time
from concurrent.futures import ThreadPoolExecutor

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from conversation import serve

TOGETHER = 8
began = []


@task
def step(before=None):
    pass


@task
def clock():
    began.append(time.perf_counter())


@flow
def chain(steps: int):
    before = None
    for _ in range(steps):
        before = step(before)


@flow(task_runner=ThreadPoolTaskRunner(max_workers=TOGETHER))
def fan(steps: int):
    first = step.submit()
    middle = [step.submit(wait_for=[first]) for _ in range(steps)]
    step.submit(wait_for=middle).wait()


@flow
def trigger():
    clock()


def carry_out(workload):
    started_at = time.perf_counter()
    match workload["shape"]:
        case "chain":
            chain(workload["steps"])
        case "fan":
            fan(workload["steps"])
        case "burst":
            with ThreadPoolExecutor(TOGETHER) as threads:
                list(threads.map(lambda _: chain(workload["steps"]), range(workload["runs"])))
        case "trigger":
            trigger()
            return (began[-1] - started_at) * 1000
    return (time.perf_counter() - started_at) * 1000


if __name__ == "__main__":
    serve(carry_out)
