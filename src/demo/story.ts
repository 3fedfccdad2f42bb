/**
 * The story that `contender demo` tells: each chapter does what a person would do, waits for what the server makes of it,
 * and checks it. A chapter that goes wrong says so, and the story goes on where it can.
 */
import { z } from 'zod';
import type { Status } from './github/github.ts';
import type { Stage } from './stage.ts';

export interface Narrator {
  chapter(title: string): void;
  /** Something that was seen to be so. */
  fact(text: string): void;
  link(label: string, url: string): void;
  wrong(text: string): void;
}

export const context = 'contender/birdstrikes';
const patienceMs = 60_000;
const lookAgainMs = 30;

/** What the story expects and does not find; ends the chapter. */
export class Disappointment extends Error {}

export function expect(held: boolean, otherwise: string): asserts held {
  if (!held) throw new Disappointment(otherwise);
}

/** Waits for a fact; what does not come within a minute is a disappointment. */
export async function until<T>(
  what: string,
  fact: () => Promise<T | null | undefined> | T | null | undefined,
): Promise<T> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const found = await fact();
    if (found !== null && found !== undefined) return found;
    if (performance.now() > endsAt) throw new Disappointment(`waited a minute for ${what}`);
    await new Promise((resolve) => {
      // The stage keeps the process alive; when it is cleared, nobody waits any longer.
      setTimeout(resolve, lookAgainMs).unref();
    });
  }
}

/** The newest status of the pipeline on a commit, once it is no longer pending. */
export function settledStatus(stage: Stage, sha: string, name = context): Promise<Status> {
  return until(`the status ${name} on ${sha.slice(0, 7)}`, () => {
    const newest = stage.github.statuses(sha).findLast((status) => status.context === name);
    return newest === undefined || newest.state === 'pending' ? null : newest;
  });
}

const pointerSchema = z.object({
  aliases: z.object({ champion: z.number().nullable() }),
  versions: z.array(
    z.object({
      version: z.number(),
      artifact: z.object({ $artifact: z.string() }),
      evidence: z.object({ runId: z.string(), decidedBy: z.string() }),
    }),
  ),
});

export interface Champion {
  readonly version: number;
  readonly sha256: string;
  readonly runId: string;
  readonly decidedBy: string;
}

/** The champion as the pointer file on GitHub names it now, or null. */
export async function championOf(stage: Stage, model: string): Promise<Champion | null> {
  await stage.git('fetch', '--quiet', 'origin');
  const text = await stage.git('show', `origin/contender/models:models/${model}.json`).catch(() => null);
  if (text === null) return null;
  const { aliases, versions } = pointerSchema.parse(JSON.parse(text));
  const champion = versions.find((each) => each.version === aliases.champion);
  if (champion === undefined) return null;
  return { version: champion.version, sha256: champion.artifact.$artifact, ...champion.evidence };
}
