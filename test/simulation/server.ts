/**
 * One life of a server: the real conductor with its queues, and ports that end with it. What survives it stands in the
 * `World`. A dead server's continuations are harmless because none of its ports ever answers again.
 */
import { Conductor } from '../../src/conductor/conductor.ts';
import type { ConductorPorts, Project } from '../../src/conductor/ports.ts';
import { parseAttemptId } from '../../src/executor/executor.ts';
import type { FakeExecutor, FakeWorld } from '../../src/executor/fake.ts';
import type { Delivery } from '../../src/forge/forge.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import type { PoolClaim } from '../../src/pipeline/definition.ts';
import { MemoryQueue, type Timer } from '../../src/queue/memory.ts';
import type { Sensors } from '../../src/sensors/sensors.ts';
import { simulatedExecutor } from './executor.ts';
import { simulatedForge } from './forge.ts';
import { simulatedJournal } from './journal.ts';
import { stubCompiler } from './pipelines.ts';
import { simulatedRegistry } from './registry.ts';
import { simulatedGit } from './repository.ts';
import { Wire } from './wire.ts';
import type { World } from './world.ts';

export const repositoryName = 'shop/models';

export class Server {
  readonly conductor: Conductor;
  readonly executor: FakeExecutor;
  alive = true;
  /** It takes webhooks from its first moment, before it has taken up what was left. */
  listening = true;
  started = false;

  /** `attempts`: what became of those of its machine. */
  constructor(world: World, attempts: FakeWorld = world.attempts) {
    const clock = { now: () => world.wallClock() };
    const { time } = world;
    const alive = (): boolean => this.alive;
    const wireOf = (name: string): Wire =>
      new Wire({ time, random: world.random.fork(`${name} ${world.lives}`), faults: () => world.faults, alive });
    const timer: Timer = {
      after(delayMs, call) {
        let wanted = true;
        time.later(delayMs, call, () => wanted && alive());
        return () => (wanted = false);
      },
    };
    const onError = (error: unknown): void => world.violated('bug', `a turn threw: ${String(error)}`);
    this.executor = simulatedExecutor({
      slots: world.slots,
      pools: world.pools,
      poolOf: (attemptId) => poolOf(world, attemptId),
      clock,
      time,
      wire: wireOf('executor'),
      alive,
      world: attempts,
      attemptMs: () => world.attemptMs,
      isThere: () => world.isThere,
      report: (each) => this.conductor.report(each),
      violated: world.violated,
    });
    const { mutant } = world;
    const mutated = <T>(change: ((port: T) => T) | undefined, port: T): T => change?.(port) ?? port;
    const plainForge = simulatedForge(world.forge, time, wireOf('forge'));
    const forge = mutant.forge?.(plainForge, world.forge) ?? plainForge;
    const registry = simulatedRegistry(mutated<ModelRegistry>(mutant.registry, world.registry), wireOf('registry'));
    const git = mutated(mutant.git, simulatedGit(world.remote, world.mirror, wireOf('git')));
    const project: Project = {
      name: repositoryName,
      git,
      forge,
      registry,
      pollMs: 60_000,
      pollWithHooksMs: 120_000,
    };
    const ports: ConductorPorts = {
      clock,
      journal: simulatedJournal(world, wireOf('journal')),
      executor: {
        ...(mutant.executor?.(this.executor, attempts) ?? this.executor),
        slots: world.slots + (mutant.slotsTooMany ?? 0),
      },
      sensors: simulatedSensors(world, wireOf('sensors')),
      pools: mutant.pools?.(world.pools) ?? world.pools,
      artifacts: world.artifacts,
      compiler: stubCompiler(world.catalogue, mutant.definition),
      projects: new Map([[repositoryName, project]]),
      runQueue: new MemoryQueue({ clock, timer, onError }),
      jobQueue: new MemoryQueue({ clock, timer, onError }),
      newId: idsOf(clock, world),
      runUrl: () => null,
      log: world.log,
    };
    this.conductor = new Conductor(ports);
  }

  /** A server that cannot start ends, and is started again by whoever watches over it. */
  start(started: () => void, failed: () => void): void {
    const begun = (): void => {
      this.started = true;
      started();
    };
    this.conductor.start({ watch: true }).then(begun, () => this.alive && failed());
  }

  die(): void {
    this.alive = false;
    this.listening = false;
    this.executor.die();
  }

  /** As on SIGTERM: no more webhooks, then the loops, then what runs. */
  async stop(): Promise<void> {
    this.listening = false;
    await this.conductor.stop();
    await this.executor.close();
    this.die();
  }

  async receive(delivery: Delivery): Promise<boolean> {
    if (!this.listening) return false;
    try {
      await this.conductor.receive(repositoryName, delivery);
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

function poolOf({ history, catalogue }: World, attemptId: string): PoolClaim | null {
  const key = parseAttemptId(attemptId);
  const pipeline = history.runs.get(key?.runId ?? '')?.opened.pipeline;
  if (pipeline === undefined) return null;
  return catalogue.definition(pipeline, 0).steps.find(({ name }) => name === key?.step)?.pool ?? null;
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
