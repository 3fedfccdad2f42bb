/**
 * What people and rules ask of runs. It is a row of the journal before anybody is told that it was accepted, so no crash
 * loses it; the way by memory is only the faster one. Whoever carries the run out finds the row within seconds, also
 * where another process put it there.
 *
 *   ask ─► journal ─► turn of the run ─► its events and "done" in one commit
 *             └────── look, every few seconds and at the start ──┘
 */
import type { RunRequest } from '../engine/request.ts';
import type { Journal, RequestRow, Write } from '../journal/journal.ts';
import { conductorLimits, type ConductorPorts } from './ports.ts';
import type { Turns } from './turns.ts';

/** `ended`: the run goes on no more, or never did. */
export type Asked = 'accepted' | 'ended';

export class Requests {
  readonly #ports: ConductorPorts;
  readonly #turns: Turns;

  constructor(ports: ConductorPorts, turns: Turns) {
    this.#ports = ports;
    this.#turns = turns;
  }

  /** Where it rejects, the request may have been kept all the same. */
  async ask(runId: string, request: RunRequest): Promise<Asked> {
    const { journal, clock, newId } = this.#ports;
    const row = { id: newId(), runId, request, at: clock.now() };
    const asked = await askOf(journal, row);
    if (asked === 'accepted') this.#turns.take([row]);
    return asked;
  }

  async look(): Promise<void> {
    const { journal, clock, jobQueue } = this.#ports;
    this.#turns.take(await journal.openRequests(conductorLimits.requestsPerLookMax));
    jobQueue.wake('requests', clock.now() + conductorLimits.lookForRequestsMs);
  }
}

/** Keeps what is asked of a run, for whoever carries it out. */
export async function askOf(journal: Journal, row: RequestRow): Promise<Asked> {
  const [result] = await journal.commit([[{ write: 'request', ...row, whereEnded: 'conflict' }]]);
  return result?.ok === true ? 'accepted' : 'ended';
}

/** To be kept together with what asks for it; of a run that ended meanwhile nothing is asked. */
export function requestWrites(rows: readonly RequestRow[]): readonly Write[] {
  return rows.map((row) => ({ write: 'request', ...row, whereEnded: 'nothing' }));
}
