/**
 * What people and rules ask of runs. It is a row of the journal before anybody is told that it was accepted, so no crash
 * loses it; the way by memory is only the faster one. Whoever conducts finds the row within seconds, also where another
 * server or command put it there.
 *
 *   ask ─► journal ─► turn of the run ─► its events and "done" in one commit
 *             └────── look, every few seconds and at the start ──┘
 */
import type { Journal, RequestRow, Write } from '../journal/journal.ts';
import { failure, success, type Result } from '../std/result.ts';
import { decisionId, decidedBefore, whyUndecidable, type Refusal } from './decisions.ts';

/**
 * Keeps what is asked of a run, for whoever carries it out. Of an approval there is one decision, whatever `id` says. A
 * cancel of a run that is being stopped already ends its finally-steps too.
 */
export async function askIn(journal: Journal, asked: RequestRow): Promise<Result<RequestRow, Refusal>> {
  const { runId, request } = asked;
  if (request.type === 'decide') {
    const refusal = await whyUndecidable(journal, runId, request.step);
    if (refusal !== null) return failure(refusal);
  }
  const isStopping = request.type === 'cancel' && (await journal.run(runId))?.state === 'cancelling';
  const row: RequestRow =
    request.type === 'decide'
      ? { ...asked, id: decisionId(runId, request.step) }
      : { ...asked, request: isStopping ? { ...request, type: 'cancel-finally' } : request };
  const [result] = await journal.commit([[{ write: 'request', ...row, whereEnded: 'conflict' }]]);
  if (result?.ok === true) return success(row);
  const ended: Refusal = { kind: 'ended', message: 'the run has just ended' };
  if (request.type !== 'decide') return failure(ended);
  if (result?.conflict === 'duplicate-request') return failure(await decidedBefore(journal, runId, request.step));
  // The run ended while this was asked, often by the decision of somebody who was faster.
  return failure((await whyUndecidable(journal, runId, request.step)) ?? ended);
}

/** Of what a run that is opened asks of one that it replaces. */
export function replacementId(by: string, replaced: string): string {
  return `${by}/replaces/${replaced}`;
}

/** To be kept together with what asks for it; of a run that ended meanwhile nothing is asked. */
export function requestWrites(rows: readonly RequestRow[]): readonly Write[] {
  return rows.map((row) => ({ write: 'request', ...row, whereEnded: 'nothing' }));
}
