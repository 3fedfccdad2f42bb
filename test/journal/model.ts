/** What the journal promises about conflicts, as the plainest program that keeps it: maps, copied before each commit. */
import { isDeepStrictEqual } from 'node:util';
import type {
  BackfillState,
  Commit,
  CommitResult,
  Conflict,
  DataEventRow,
  Journal,
  Write,
} from '../../src/journal/journal.ts';
import { unreachable } from '../../src/std/unreachable.ts';

interface State {
  readonly triggers: Set<string>;
  readonly runs: Map<string, { number: number; events: unknown[]; ended: boolean }>;
  readonly numbers: Map<string, number>;
  readonly deliveries: Map<string, { semanticKey: string | null; done: boolean }>;
  readonly ticks: Set<number>;
  readonly outbox: Map<string, { sequence: number; attempts: number; done: boolean; dueAt: number | null }>;
  readonly evaluations: Map<string, string>;
  readonly requests: Map<string, { runId: string; done: boolean }>;
  readonly backfills: Map<string, { state: BackfillState; readonly waiting: Set<number> }>;
  readonly ends: Map<string, boolean>;
  readonly datasets: Map<string, { position: number; digest: string | null }>;
  readonly events: Map<string, DataEventRow['state']>;
  readonly listeners: Map<string, number>;
}

export class JournalModel {
  #state: State = {
    triggers: new Set(),
    runs: new Map(),
    numbers: new Map(),
    deliveries: new Map(),
    ticks: new Set(),
    outbox: new Map(),
    evaluations: new Map(),
    requests: new Map(),
    backfills: new Map(),
    ends: new Map(),
    datasets: new Map(),
    events: new Map(),
    listeners: new Map(),
  };

  commit(commits: readonly Commit[]): readonly CommitResult[] {
    return commits.map((commit): CommitResult => {
      const before = structuredClone(this.#state);
      for (const [index, write] of commit.entries()) {
        const conflict = apply(this.#state, write);
        if (conflict === null) continue;
        this.#state = before;
        return { ok: false, conflict, write: index };
      }
      return { ok: true };
    });
  }

  /** The first difference between what the journal gives and what it should give, or null. */
  async difference(journal: Journal, farFuture: number): Promise<string | null> {
    const state = this.#state;
    const runs = new Map<string, unknown>();
    for (const { id, number } of await journal.unfinishedRuns()) {
      runs.set(id, { number, events: await journal.events(id), ended: false });
    }
    const pending = (await journal.pendingDeliveries(1000)).map(({ id }) => id).sort();
    const ticks = (await journal.ticks('r', 'p', 1000)).map(({ tick }) => tick);
    const due = (await journal.dueOutbox(farFuture, 1000)).map(({ key, sequence, attempts }) => [
      key,
      sequence,
      attempts,
    ]);
    const shouldBeDue = [...state.outbox].filter(([, { dueAt }]) => dueAt !== null);
    const open = (await journal.openRequests(1000)).map(({ id }) => id).sort();
    const shouldBeOpen = [...state.requests].filter(([, { done }]) => !done);
    const backfills = (await journal.backfills(200)).map(({ id, state: is, waiting }) => [id, is, waiting]);
    const evaluations = (await journal.evaluations({ limit: 200 })).map(({ id, state }) => [id, state]);
    const byText = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);
    const pairs: { readonly [name: string]: readonly [unknown, unknown] } = {
      runs: [runs, new Map([...state.runs].filter(([, { ended }]) => !ended))],
      requests: [open, shouldBeOpen.map(([id]) => id).sort()],
      deliveries: [
        pending,
        [...state.deliveries]
          .filter(([, { done }]) => !done)
          .map(([id]) => id)
          .sort(),
      ],
      ticks: [ticks, [...state.ticks].sort((left, right) => right - left)],
      outbox: [due.sort(byText), shouldBeDue.map(([key, row]) => [key, row.sequence, row.attempts]).sort(byText)],
      backfills: [
        backfills.sort(byText),
        [...state.backfills].map(([id, { state: is, waiting }]) => [id, is, waiting.size]).sort(byText),
      ],
      evaluations: [evaluations.sort(byText), [...state.evaluations].sort(byText)],
      ends: [
        (await journal.openRunEnds(1000)).map(({ id }) => id).sort(),
        [...state.ends].flatMap(([id, done]) => (done ? [] : [id])).sort(),
      ],
      events: [
        (await journal.dataEvents(null, 200)).map(({ id, state: is }) => [id, is]).sort(byText),
        [...state.events].sort(byText),
      ],
      listeners: [
        (await journal.dataListeners('r')).map(({ dataset, seen, position }) => [dataset, seen, position]),
        [...state.listeners]
          .map(([dataset, seen]) => [dataset, seen, state.datasets.get(dataset)?.position])
          .sort(byText),
      ],
    };
    for (const [name, [actual, expected]] of Object.entries(pairs)) {
      if (!isDeepStrictEqual(actual, expected))
        return `${name}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`;
    }
    return null;
  }
}

function apply(state: State, write: Write): Conflict | null {
  switch (write.write) {
    case 'delivery': {
      const rows = [...state.deliveries.values()];
      const known = write.semanticKey !== null && rows.some(({ semanticKey }) => semanticKey === write.semanticKey);
      if (known || state.deliveries.has(write.id)) return 'duplicate-delivery';
      state.deliveries.set(write.id, { semanticKey: write.semanticKey, done: false });
      return null;
    }
    case 'delivery-done': {
      const row = state.deliveries.get(write.id);
      if (row !== undefined) row.done = true;
      return null;
    }
    case 'trigger-skipped':
      if (state.triggers.has(write.key)) return 'duplicate-trigger';
      state.triggers.add(write.key);
      return null;
    case 'open-run': {
      if (state.triggers.has(write.triggerKey)) return 'duplicate-trigger';
      state.triggers.add(write.triggerKey);
      const number = (state.numbers.get(write.opened.pipeline) ?? 0) + 1;
      state.numbers.set(write.opened.pipeline, number);
      state.runs.set(write.opened.runId, { number, events: [write.opened, ...write.reused], ended: false });
      return null;
    }
    case 'append': {
      const run = state.runs.get(write.runId);
      if (run === undefined || run.events.length !== write.position) return 'position';
      run.events.push(...write.events);
      if (write.becomes !== null) run.ended = write.becomes.finishedAt !== null;
      if (run.ended) for (const asked of state.requests.values()) if (asked.runId === write.runId) asked.done = true;
      return null;
    }
    case 'request': {
      const strict = write.whereEnded === 'conflict';
      if (state.runs.get(write.runId)?.ended !== false) return strict ? 'run-ended' : null;
      if (state.requests.has(write.id)) return strict ? 'duplicate-request' : null;
      state.requests.set(write.id, { runId: write.runId, done: false });
      return null;
    }
    case 'request-done': {
      const asked = state.requests.get(write.id);
      if (asked !== undefined) asked.done = true;
      return null;
    }
    case 'tick':
      if (state.ticks.has(write.tick)) return 'duplicate-tick';
      state.ticks.add(write.tick);
      return null;
    case 'outbox': {
      const sequence = (state.outbox.get(write.key)?.sequence ?? 0) + 1;
      state.outbox.set(write.key, { sequence, attempts: 0, done: false, dueAt: write.dueAt });
      return null;
    }
    case 'outbox-done': {
      const row = state.outbox.get(write.key);
      if (row === undefined || row.sequence !== write.sequence) return 'changed';
      Object.assign(row, { done: true, dueAt: null });
      return null;
    }
    case 'outbox-failed': {
      const row = state.outbox.get(write.key);
      if (row === undefined || row.sequence !== write.sequence || row.done) return 'changed';
      Object.assign(row, { attempts: row.attempts + 1, dueAt: write.dueAt });
      return null;
    }
    case 'evaluation':
      if (!state.evaluations.has(write.evaluation.id))
        state.evaluations.set(write.evaluation.id, write.evaluation.state);
      return null;
    case 'evaluation-state':
      if (state.evaluations.get(write.id) !== write.from) return 'changed';
      state.evaluations.set(write.id, write.to);
      return null;
    case 'backfill': {
      const { id } = write.backfill;
      if (state.backfills.has(id)) return 'duplicate-backfill';
      const waiting = write.intervals.flatMap(({ skipped }, position) => (skipped === null ? [position] : []));
      state.backfills.set(id, { state: 'running', waiting: new Set(waiting) });
      return null;
    }
    case 'backfill-interval':
      return state.backfills.get(write.id)?.waiting.delete(write.position) === true ? null : 'changed';
    case 'backfill-state': {
      const backfill = state.backfills.get(write.id);
      if (backfill?.state !== write.from) return 'changed';
      backfill.state = write.to;
      if (write.to === 'cancelling') backfill.waiting.clear();
      return null;
    }
    case 'run-end':
      if (!state.ends.has(write.runId)) state.ends.set(write.runId, false);
      return null;
    case 'run-end-done':
      if (state.ends.has(write.runId)) state.ends.set(write.runId, true);
      return null;
    case 'data-event':
      if (state.events.has(write.event.id)) return 'duplicate-event';
      state.events.set(write.event.id, 'open');
      return null;
    case 'data-event-decided':
      return decideEvent(state, write);
    case 'data-listening':
      for (const dataset of write.remove) state.listeners.delete(dataset);
      for (const dataset of write.add) {
        const { position } = datasetOf(state, dataset);
        if (!state.listeners.has(dataset)) state.listeners.set(dataset, position);
      }
      return null;
    case 'data-taken':
      for (const { dataset, seen, position } of write.taken) {
        if (state.listeners.get(dataset) !== seen) return 'changed';
        state.listeners.set(dataset, position);
      }
      return null;
    case 'versions':
    case 'head':
    case 'forge-object':
    case 'cache-entry':
    case 'cache-trim':
    case 'session':
    case 'session-used':
    case 'session-ended':
    case 'order':
      return null;
    case 'order-answered':
      return 'changed';
    default:
      return unreachable(write);
  }
}

function datasetOf(state: State, name: string): { position: number; digest: string | null } {
  const known = state.datasets.get(name) ?? { position: 0, digest: null };
  state.datasets.set(name, known);
  return known;
}

function decideEvent(
  state: State,
  { id, dataset: name, digest, evenIfSame, refused }: Extract<Write, { write: 'data-event-decided' }>,
): Conflict | null {
  if (state.events.get(id) !== 'open') return 'changed';
  if (refused !== null) {
    state.events.set(id, 'refused');
    return null;
  }
  const dataset = datasetOf(state, name);
  const isNews = evenIfSame || digest === null || digest !== dataset.digest;
  state.events.set(id, isNews ? 'news' : 'same');
  if (isNews) Object.assign(dataset, { position: dataset.position + 1, digest });
  return null;
}
