/** A commit as the steps that a driver carries out. */
import { unreachable } from '../std/unreachable.ts';
import { decideInterval, putBackfill, setBackfillState } from './backfills.ts';
import { decideDataEvent, putDataEvent, setListening, takeNews } from './data-events.ts';
import { deliveryDone, putDelivery, skipTrigger } from './deliveries.ts';
import type { Plan, Step } from './driver.ts';
import { putEvaluation, setEvaluationState } from './evaluations.ts';
import type { Commit, Write } from './journal.ts';
import { answerOrder, putOrder } from './orders.ts';
import { outboxDone, outboxFailed, putForgeObject, putOutbox } from './outbox.ts';
import { putRequest, requestDone } from './requests.ts';
import { putRunEnd, runEndDone } from './run-ends.ts';
import { append, openRun } from './runs.ts';
import { endSession, putSession, useSession } from './sessions.ts';
import { putCacheEntry, trimCache } from './step-cache.ts';
import { putTick } from './ticks.ts';
import { putHead, putVersions } from './versions.ts';

export function plan(commit: Commit): Plan {
  return commit.flatMap((write, index) => stepsOf(write).map((step) => ({ ...step, write: index })));
}

function stepsOf(write: Write): Step[] {
  switch (write.write) {
    case 'delivery':
      return putDelivery(write);
    case 'delivery-done':
      return deliveryDone(write);
    case 'versions':
      return putVersions(write);
    case 'head':
      return putHead(write);
    case 'trigger-skipped':
      return skipTrigger(write);
    case 'open-run':
      return openRun(write);
    case 'append':
      return append(write);
    case 'request':
      return putRequest(write);
    case 'request-done':
      return requestDone(write);
    case 'order':
      return putOrder(write);
    case 'order-answered':
      return answerOrder(write);
    case 'tick':
      return putTick(write);
    case 'backfill':
      return putBackfill(write);
    case 'backfill-interval':
      return decideInterval(write);
    case 'backfill-state':
      return setBackfillState(write);
    case 'run-end':
      return putRunEnd(write);
    case 'run-end-done':
      return runEndDone(write);
    case 'data-event':
      return putDataEvent(write);
    case 'data-event-decided':
      return decideDataEvent(write);
    case 'data-listening':
      return setListening(write);
    case 'data-taken':
      return takeNews(write);
    case 'outbox':
      return putOutbox(write);
    case 'outbox-done':
      return outboxDone(write);
    case 'outbox-failed':
      return outboxFailed(write);
    case 'evaluation':
      return putEvaluation(write);
    case 'evaluation-state':
      return setEvaluationState(write);
    case 'session':
      return putSession(write);
    case 'session-used':
      return useSession(write);
    case 'session-ended':
      return endSession(write);
    case 'forge-object':
      return putForgeObject(write);
    case 'cache-entry':
      return putCacheEntry(write);
    case 'cache-trim':
      return trimCache(write);
    default:
      return unreachable(write);
  }
}
