/**
 * `contender run` and `contender rerun` in a folder whose server is at work: the run is the server's, asked for through
 * its API, and followed by reading the journal beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { whyWaiting, type SlotsInUse } from '../admission/admission.ts';
import { readRun, runReportOf } from '../conductor/read.ts';
import { stepWaits, type Surroundings } from '../conductor/waits/step-waits.ts';
import { turnText } from '../conductor/waits/turn-text.ts';
import type { Config } from '../config/config.ts';
import type { Journal } from '../journal/journal.ts';
import type { ExitStatus } from './exit-status.ts';
import { actorName } from './actor.ts';
import { follow, type FollowedRun } from './follow.ts';
import { listenForInterruption } from './interruption.ts';
import { openToRead } from './reading.ts';
import { connectServer, type ServerClient } from './server-client.ts';

const lookAgainMs = 150;
const slotsStandMs = 1000;
/** A promotion that takes longer is the server's to tell. */
const settlePatienceMs = 10_000;

export async function handOver(
  config: Config,
  url: string,
  ask: (server: ServerClient, journal: Journal) => Promise<string>,
  output: { readonly json: boolean; readonly say: (line: string) => void },
): Promise<ExitStatus> {
  const server = await connectServer(config, url);
  const interruption = listenForInterruption(output.say);
  try {
    const journal = await openToRead(config);
    try {
      const runId = await ask(server, journal);
      output.say(`Handed to the server at ${url}, which holds this folder: ${url}/runs/${runId}`);
      return await follow(followedThere(server, journal, runId), interruption, output.json);
    } finally {
      await journal.close();
    }
  } finally {
    interruption.end();
  }
}

function followedThere(server: ServerClient, journal: Journal, runId: string): FollowedRun {
  const slotsInUse = slotsThere(server);
  const around: Surroundings = { whyWaiting: (step) => whyWaiting(step, slotsInUse()), waiting: () => [] };
  return {
    read: () => readRun(journal, runId),
    turn: ({ opened }) => turnText(journal, opened),
    // What the server's looks have seen is told by its pages.
    waits: (run, step) => stepWaits(run, step, null, around, Date.now()),
    changed: () => pause(lookAgainMs),
    cancel: (reason) => server.ask(runId, { type: 'cancel', by: actorName(), reason }),
    async settled() {
      const endsAt = performance.now() + settlePatienceMs;
      while ((await isUnsettled(journal, runId)) && performance.now() < endsAt) await pause(lookAgainMs);
    },
    report: () => runReportOf(journal, runId, `${server.url}/runs/${runId}`),
  };
}

/** As the server last said; where somebody asks, it is asked again, at most once a second. Without its answer, none are. */
function slotsThere(server: ServerClient): () => readonly SlotsInUse[] {
  let inUse: readonly SlotsInUse[] = [];
  let askAgainAt = 0;
  return () => {
    const now = performance.now();
    if (now < askAgainAt) return inUse;
    askAgainAt = now + slotsStandMs;
    server.pools().then(
      (said) => (inUse = said),
      () => (inUse = []),
    );
    return inUse;
  };
}

async function isUnsettled(journal: Journal, runId: string): Promise<boolean> {
  const evaluations = await journal.evaluations({ runId, limit: 100 });
  return evaluations.some((evaluation) => evaluation.state === 'promoting');
}
