/**
 * One life of a server: the real conductor with its queues, and ports that end with it. What survives it stands in the
 * `World`, or on its `Machine`. A dead server's continuations are harmless because none of its ports ever answers again;
 * those of a frozen one wait until it goes on.
 */
import { Conductor } from '../../src/conductor/conductor.ts';
import type { Project, ServerPorts } from '../../src/conductor/ports.ts';
import { parseAttemptId, type Executor, type ReportSink } from '../../src/executor/executor.ts';
import type { FakeExecutor } from '../../src/executor/fake.ts';
import type { Delivery } from '../../src/forge/forge.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import type { StepDefinition } from '../../src/pipeline/definition.ts';
import { MemoryQueue } from '../../src/queue/memory.ts';
import type { Timer } from '../../src/queue/queue.ts';
import type { Sensors } from '../../src/sensors/sensors.ts';
import type { Clock } from '../../src/std/clock.ts';
import { simulatedExecutor } from './executor.ts';
import { simulatedForge } from './forge.ts';
import { simulatedJournal } from './journal.ts';
import type { KeptRun } from './history.ts';
import type { Machine } from './machine.ts';
import { wrongMemory } from './memory.ts';
import { simulatedNotifier } from './notifier.ts';
import { stubCompiler } from './pipelines.ts';
import { simulatedRegistry } from './registry.ts';
import { simulatedGit } from './repository.ts';
import { Wire } from './wire.ts';
import type { World } from './world.ts';

export const repositoryName = 'shop/models';

/** After it goes on, a server that was frozen has this long to end what it should not have running. */
const thawMs = 5000;

export class Server {
  readonly conductor: Conductor;
  readonly machine: Machine;
  alive = true;
  /** It takes webhooks from its first moment, before it has taken up what was left. */
  listening = true;
  readonly #world: World;
  readonly #life: number;
  /** Of each of its terms. */
  readonly #executors: FakeExecutor[] = [];
  readonly #clock: Clock;
  /** What waits for a frozen server to go on; null: it is not frozen. */
  #held: (() => void)[] | null = null;
  #thawedAt = Number.NEGATIVE_INFINITY;
  #cutOffUntil = Number.NEGATIVE_INFINITY;

  constructor(world: World, machine: Machine) {
    this.#world = world;
    this.#life = world.lives;
    this.machine = machine;
    this.#clock = { now: () => world.wallClock() + machine.skewMs };
    this.conductor = new Conductor(this.#ports());
  }

  #ports(): ServerPorts {
    const world = this.#world;
    const { mutant } = world;
    const clock = this.#clock;
    const timer: Timer = {
      after: (delayMs, call) => {
        let wanted = true;
        this.later(delayMs, call, () => wanted);
        return () => (wanted = false);
      },
    };
    const onError = (error: unknown): void => world.violated('bug', `a turn threw: ${String(error)}`);
    const stopwatch = { now: () => world.time.now };
    return {
      clock,
      stopwatch: mutant.stopwatch?.(stopwatch) ?? stopwatch,
      timer,
      journal: simulatedJournal(world, this.#wire('journal'), this),
      openExecutor: (report) => this.#openExecutor(report),
      openQueue: <Key extends string>() => new MemoryQueue<Key>({ clock, timer, onError }),
      place: () => ({ pid: this.#life, host: this.machine.name, url: null }),
      sensors: simulatedSensors(world, this.#wire('sensors')),
      notifier: simulatedNotifier(world.told, {
        history: world.history,
        wire: this.#wire('notifier'),
        violated: world.violated,
      }),
      pools: mutant.pools?.(world.pools) ?? world.pools,
      artifacts: world.artifacts,
      logs: { read: () => Promise.resolve({ lines: [], total: 0, closed: true }) },
      retention: null,
      diskSpace: () => Promise.resolve({ freeBytes: world.freeBytes, totalBytes: 2 ** 40 }),
      compiler: stubCompiler(world.catalogue, mutant.definition),
      projects: this.#projects(),
      newId: idsOf(clock, world),
      runUrl: () => null,
      log: world.log,
    };
  }

  #wire(name: string): Wire {
    const { random, time } = this.#world;
    return new Wire({
      time,
      random: random.fork(`${name} ${this.#life}`),
      faults: () => this.#world.faults,
      later: (ms, call) => this.later(ms, call),
    });
  }

  #projects(): ReadonlyMap<string, Project> {
    const beside = Object.entries(this.#world.beside).map(([name, git]): Project => {
      const project = this.#project();
      return { ...project, name, git: { ...project.git, ...git } };
    });
    return new Map([this.#project(), ...beside].map((project) => [project.name, project]));
  }

  #project(): Project {
    const world = this.#world;
    const { mutant } = world;
    const mutated = <T>(change: ((port: T) => T) | undefined, port: T): T => change?.(port) ?? port;
    // What a server has sent that does not conduct any more is on its way no longer than its lease was.
    const mayWrite = (): boolean => this.conductor.standing().conductor?.epoch === world.office.epoch;
    const plainForge = simulatedForge(world.forge, world.time, this.#wire('forge'), mayWrite);
    return {
      name: repositoryName,
      git: mutated(mutant.git, simulatedGit(world.remote, this.machine.mirror, this.#wire('git'))),
      forge: mutant.forge?.(plainForge, world.forge) ?? plainForge,
      registry: simulatedRegistry(mutated<ModelRegistry>(mutant.registry, world.registry), this.#wire('registry')),
      pollMs: 60_000,
      pollWithHooksMs: 120_000,
    };
  }

  #openExecutor(report: ReportSink): Executor {
    const world = this.#world;
    const { mutant } = world;
    const executor = simulatedExecutor({
      slots: world.slots,
      pools: world.pools,
      poolOf: (attemptId) => placeOf(world, attemptId)?.step.pool ?? null,
      wrongMemory: (spec) => {
        const place = placeOf(world, spec.attemptId);
        return place === null ? null : wrongMemory(spec, place.run, place.step);
      },
      clock: this.#clock,
      time: world.time,
      later: (ms, call) => this.later(ms, call),
      wire: this.#wire(this.#executors.length === 0 ? 'executor' : `executor ${this.#executors.length}`),
      alive: () => this.alive,
      world: this.machine.attempts,
      // One that was frozen between its look at the lease and the start can know neither.
      mayBegin: () => this.unaware || world.office.holds(this.conductor.standing().conductor?.epoch ?? null),
      runElsewhere: () => (this.unaware ? [] : world.runningBeside(this)),
      attemptMs: () => world.attemptMs,
      runsImages: world.runsImages,
      isThere: () => world.isThere,
      report,
      violated: world.violated,
    });
    this.#executors.push(executor);
    return {
      ...(mutant.executor?.(executor, this.machine.attempts) ?? executor),
      slots: world.slots + (mutant.slotsTooMany ?? 0),
      looksAtOnce: executor.looksAtOnce + (mutant.looksTooMany ?? 0),
    };
  }

  /** Of this server's own doing: it waits while the server is frozen, and does not come when it has died. */
  later(ms: number, call: () => void, wanted: () => boolean = () => true): void {
    const now = (): void => {
      if (this.#held !== null) this.#held.push(now);
      else if (wanted()) call();
    };
    this.#world.time.later(ms, now, () => this.alive && wanted());
  }

  freeze(ms: number): void {
    if (this.#held !== null) return;
    this.#held = [];
    this.#world.time.later(ms, () => this.thaw());
  }

  /** All that came due meanwhile comes now. */
  thaw(): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#thawedAt = this.#world.time.now;
    for (const call of held) this.later(0, call);
  }

  /** It alone cannot reach the lease for a while. */
  cutOff(ms: number): void {
    this.#cutOffUntil = this.#world.time.now + ms;
  }

  get isCutOff(): boolean {
    return this.#world.faults.lease > 0 && this.#world.time.now < this.#cutOffUntil;
  }

  get frozen(): boolean {
    return this.#held !== null;
  }

  /** It cannot have noticed yet that it conducts no more. */
  get unaware(): boolean {
    return this.frozen || this.#world.time.now < this.#thawedAt + thawMs;
  }

  get conducts(): boolean {
    return this.alive && !this.frozen && this.conductor.standing().conducts;
  }

  /** Attempts that run here now, and a hand on them; waits that are looked for. */
  get executor(): Pick<FakeExecutor, 'running' | 'finish' | 'looking'> {
    return {
      running: () => this.#executors.flatMap((executor) => executor.running()),
      looking: () => this.#executors.flatMap((executor) => executor.looking()),
      finish: (attemptId, outcome) => this.#executors.at(-1)?.finish(attemptId, outcome),
    };
  }

  /** A server that cannot start ends, and is started again by whoever watches over it. */
  start(failed: () => void): void {
    this.conductor.start({ watch: true }).catch(() => this.alive && failed());
  }

  die(): void {
    this.alive = false;
    this.listening = false;
    for (const executor of this.#executors) executor.die();
  }

  /** As on SIGTERM: no more webhooks, then what runs and the loops. */
  async stop(): Promise<void> {
    this.listening = false;
    await this.conductor.stop();
    this.die();
  }

  async receive(delivery: Delivery): Promise<boolean> {
    if (!this.listening) return false;
    try {
      await this.conductor.receive(delivery.repository ?? repositoryName, delivery);
      return true;
    } catch {
      return false;
    }
  }
}

/** What is looked for outside comes after a few looks. */
function simulatedSensors(world: World, wire: Wire): Sensors {
  const sight = (): Awaited<ReturnType<Sensors['look']>> =>
    (world.isThere ?? wire.random.chance(0.5))
      ? { kind: 'seen', output: { there: true } }
      : { kind: 'not-yet', reason: 'it is not there' };
  return { look: () => wire.call(sight, { answer: sight }) };
}

/** The run of an attempt, and its step as it is written. */
function placeOf({ history, catalogue }: World, attemptId: string): { run: KeptRun; step: StepDefinition } | null {
  const key = parseAttemptId(attemptId);
  const run = history.runs.get(key?.runId ?? '');
  if (run === undefined) return null;
  const step = catalogue.definition(run.opened.pipeline, 0).steps.find(({ name }) => name === key?.step);
  return step === undefined ? null : { run, step };
}

/** As `src/ids.ts`, with the world's chance. */
function idsOf(clock: { now(): number }, world: World): () => string {
  const random = world.random.fork(`ids ${world.lives}`);
  let lastTime = 0;
  let count = 0;
  let chance = '';
  return () => {
    const now = clock.now();
    if (now > lastTime) {
      lastTime = now;
      count = 0;
      chance = random.hex(10);
    }
    count += 1;
    return `${lastTime.toString(32).padStart(10, '0')}${chance}${count.toString(32).padStart(6, '0')}`;
  };
}
