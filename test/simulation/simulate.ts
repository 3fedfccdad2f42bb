/**
 * One seed, one world, two phases: for a number of steps faults strike and the script goes on (what must never happen is
 * checked at each write); then faults stop, and everything has to come to rest within minutes (what must happen is
 * looked at until it did).
 */
import { faultClasses, type FaultClass } from './faults.ts';
import { mutants, type MutantName } from './mutants.ts';
import { checkAtRest, stillOpen } from './promises.ts';
import { Script } from './script.ts';
import { repositoryName } from './server.ts';
import { World, type Violation } from './world.ts';

export interface Simulation {
  readonly seed: number;
  readonly steps: number;
  readonly off?: ReadonlySet<FaultClass>;
  readonly mutant?: MutantName | null;
  /** As the seed will have it, unless given. */
  readonly servers?: 1 | 2 | undefined;
  readonly tell?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  /** Steps of both phases. */
  readonly steps: number;
  readonly runs: number;
  readonly lives: number;
  readonly virtualMs: number;
  /** Digest of all that was kept: the same seed gives the same. */
  readonly fingerprint: string;
  readonly on: readonly FaultClass[];
}

/** From when faults stop. Outbox rows back off for at most five minutes, polling may take two. */
const restWithinMs = 10 * 60_000;
const restStepsMax = 60_000;

export async function simulate(simulation: Simulation): Promise<Outcome> {
  const { seed, steps, off = new Set(), mutant = null, servers, tell } = simulation;
  const mutated = mutant === null ? {} : { mutant: mutants[mutant] };
  const world = await World.make({ seed, off, tell: tell ?? null, servers, ...mutated });
  const on = faultClasses.filter((name) => world.faults[name] > 0);
  const script = new Script(world);
  const startedAt = world.time.now;
  script.begin();
  while (world.steps < steps && world.violation === null) await world.step();
  if (world.violation === null) {
    script.end();
    world.calm();
    await comeToRest(world, restWithinMs);
  }
  if (world.violation === null) await checkAtRest(world);
  if (world.violation === null) await probeSlots(world);
  for (const server of world.servers) server.die();
  await world.journal.close();
  return {
    seed,
    violation: world.violation,
    steps: world.steps,
    runs: world.history.runs.size,
    lives: world.lives,
    virtualMs: world.time.now - startedAt,
    fingerprint: fingerprintOf(world),
    on,
  };
}

async function comeToRest(world: World, withinMs: number): Promise<void> {
  const from = world.time.now;
  const begun = endedRuns(world);
  // Who waits in line is not stuck: each run that ends gives those behind it a minute.
  const until = (): number => from + withinMs + (endedRuns(world) - begun) * 60_000;
  const stepsMax = world.steps + restStepsMax + world.history.unfinished.size * 1000;
  for (let open = stillOpen(world); open !== null; open = stillOpen(world)) {
    if (world.violation !== null) return;
    if (world.time.now > until() || world.steps > stepsMax)
      return world.violated(open.promise, `${open.what} (after ${withinMs / 60_000} quiet minutes)`);
    const next = world.time.now + 500;
    while (world.violation === null && world.time.now < next && world.steps <= stepsMax) await world.step();
  }
}

function endedRuns({ history }: World): number {
  return history.runs.size - history.unfinished.size;
}

/** P7: as many attempts can run at once as there are slots. One that was never given back is missed here. */
async function probeSlots(world: World): Promise<void> {
  const { conducting: server, remote, slots } = world;
  const sha = remote.branches.get('main');
  if (server === null || sha === undefined) return world.violated('bug', 'no server to probe');
  const actor = 'the probe';
  const manual = {
    repository: repositoryName,
    pipeline: 'probe',
    sha,
    actor,
    logicalDate: null,
    parameters: {},
    key: actor,
  };
  const opened: { runId: string | null } = { runId: null };
  const ask = async (): Promise<void> => {
    const result = await server.conductor.runManually(manual);
    if (result.ok) opened.runId = result.value;
  };
  void ask();
  const running = (): number => world.servers.flatMap((each) => each.executor.running()).length;
  const until = world.time.now + 4 * 60_000;
  while (opened.runId === null || running() < slots) {
    if (world.violation !== null) return;
    if (world.time.now > until) return world.violated('P7', `only ${running()} of ${slots} slots can be used`);
    await world.step();
  }
  const request = { type: 'cancel', by: 'ada', reason: 'the probe has seen enough' } as const;
  void server.conductor.ask(opened.runId, request);
  await comeToRest(world, restWithinMs);
}

function fingerprintOf({ history, time }: World): string {
  let hash = 0x811c9dc5;
  const mix = (text: string): void => {
    for (let place = 0; place < text.length; place += 1) hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
  };
  mix(String(time.now));
  for (const [id, run] of history.runs) mix(`${id} ${run.state} ${run.events.length}`);
  for (const [key, row] of history.outbox) mix(`${key} ${row.state}`);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
