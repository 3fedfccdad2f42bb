/** People who ask something of a run, or tell of data: again where no answer came, and what was accepted is kept. */
import type { RunRequest } from '../../src/engine/request.ts';
import { datasets } from './pipelines.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

export class Asking {
  readonly #world: World;
  readonly #random: Random;
  #people = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('asking');
  }

  cancel(): void {
    const runs = [...this.#world.history.unfinished];
    if (runs.length === 0) return;
    this.#ask(this.#random.pick(runs), { type: 'cancel', by: this.#person(), reason: 'wrong data' });
  }

  /** By one person or two at once, and now and then in the moment of a cancel, or of the end of its time. */
  decide(): void {
    const world = this.#world;
    const random = this.#random;
    const awaited = world.history.awaited();
    if (awaited.length === 0) return;
    const { runId, step, dueAt } = random.pick(awaited);
    const decide = (): void => {
      const decision = random.chance(0.7) ? 'approve' : 'reject';
      this.#ask(runId, { type: 'decide', step, decision, by: this.#person(), reason: null });
    };
    const lastMs = Math.max(0, dueAt - world.wallClock() - 100);
    const waitMs = random.chance(0.2) ? Math.min(lastMs, 60_000) : 0;
    world.time.later(waitMs, decide);
    if (random.chance(0.5)) world.time.later(waitMs + random.between(0, 200), decide);
    if (random.chance(world.faults.cancel))
      this.#ask(runId, { type: 'cancel', by: this.#person(), reason: 'no decision wanted' });
  }

  /** Of data that have come from elsewhere, now and then the same as before. */
  tell(): void {
    const world = this.#world;
    const random = this.#random;
    const id = this.#person();
    const dataset = random.pick([...datasets, 'lake', 'lake']);
    const digest = random.pick([null, 'one', 'two']);
    const telling = { id, dataset, digest, evenIfSame: random.chance(0.1), by: id, at: world.wallClock() };
    world.tell(`${id} tells of ${dataset}: ${String(digest)}`);
    const ask = async (triesLeft: number): Promise<void> => {
      try {
        const told = await world.server?.conductor.tellData(telling);
        if (told !== undefined && !world.history.listeners.events.has(told.id))
          world.violated('P10', `${told.id} was accepted and is not kept`);
      } catch {
        if (triesLeft > 0) world.time.later(1000, () => void ask(triesLeft - 1));
      }
    };
    void ask(2);
  }

  #person(): string {
    return `person ${(this.#people += 1)} who asks`;
  }

  #ask(runId: string, request: RunRequest): void {
    const world = this.#world;
    world.tell(`${request.by}: ${request.type} ${runId}`);
    const ask = async (triesLeft: number): Promise<void> => {
      try {
        const asked = await world.anyServer(this.#random)?.conductor.ask(runId, request);
        if (asked?.ok === true && !world.history.wasAsked(runId, request.by))
          world.violated('P8', `${request.type} of ${runId} by ${request.by} was accepted and is not kept`);
      } catch {
        if (triesLeft > 0) world.time.later(1000, () => void ask(triesLeft - 1));
      }
    };
    void ask(2);
  }
}
