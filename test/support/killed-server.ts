/**
 * Real servers that are killed, and what their steps did meanwhile: each writes into a file when it begins and ends, and
 * says when an earlier attempt of its own is alive still.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { RunEvent } from '../../src/engine/event.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteReader } from '../../src/journal/sqlite-reader.ts';
import { createProject, type Running, type Sandbox } from '../cli/sandbox.ts';

/** Appends what happens to an attempt; "twice" where the one before is alive (and not a corpse that nobody fetched). */
const work = `set -eu
folder=$1
name=\${CONTENDER_STEP#*/}
if [ -e "$folder/$name.pid" ] && grep -qs '^State:.[^XZ]' "/proc/$(cat "$folder/$name.pid")/status"; then echo "$CONTENDER_ATTEMPT_ID twice" >> "$folder/effects"; fi
echo $$ > "$folder/$name.pid"
echo "$CONTENDER_ATTEMPT_ID begin" >> "$folder/effects"
eval "$2"
echo "$CONTENDER_ATTEMPT_ID end" >> "$folder/effects"
`;

export function createWatchedProject(): Sandbox {
  return createProject({ 'contender.yaml': 'repositories: [{ url: ., poll: 200ms }]\n', 'work.sh': work });
}

/** Steps one after the other, each with this shell command in the middle. */
export function chain(sandbox: Sandbox, count: number, command: string): string {
  const steps = Array.from({ length: count }, (_, index) => {
    const after = index === 0 ? '' : `after: [step${index - 1}], `;
    return `  const step${index} = step('step${index}', { ${after}command: ['sh', 'work.sh', ${JSON.stringify(sandbox.folder)}, ${JSON.stringify(command)}] });`;
  });
  return `import { pipeline, step } from 'contender';\nexport default pipeline('chain', { on: { push: true } }, () => {\n${steps.join('\n')}\n});\n`;
}

/** Its time runs ten times as fast; files of this folder are preloaded into it. */
export function start(
  sandbox: Sandbox,
  environment: Readonly<Record<string, string>>,
  ...preloaded: string[]
): Running {
  const imports = ['fast-time.mjs', ...preloaded].map(
    (file) => `--import=${pathToFileURL(join(import.meta.dirname, file)).href}`,
  );
  const time = { NODE_OPTIONS: imports.join(' '), CONTENDER_TEST_TIME_FROM: String(sandbox.madeAt) };
  return sandbox.start(['serve', '--port', '0'], { environment: { ...time, ...environment } });
}

export async function serve(sandbox: Sandbox, environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  const server = start(sandbox, environment);
  await server.until(/is at http/);
  return server;
}

export async function kill(server: Running): Promise<void> {
  server.kill('SIGKILL');
  await server.ended;
}

/** Looks until there is something; the steps of a test take milliseconds. */
export async function until<T>(what: string, fact: () => Promise<T | null> | T | null): Promise<T> {
  const endsAt = performance.now() + 120_000;
  for (;;) {
    const found = await fact();
    if (found !== null) return found;
    if (performance.now() > endsAt) throw new Error(`waited in vain for ${what}`);
    await moment(3);
  }
}

/** The server has looked at the repository, and the journal can be read. */
export async function watched(sandbox: Sandbox): Promise<Journal> {
  const directory = join(sandbox.folder, '.contender');
  const opened = await openSqliteReader({ directory });
  await until('the first look', async () => ((await opened.heads('work')).size > 0 ? true : null));
  return opened;
}

interface Effect {
  readonly attempt: string;
  readonly word: string;
}

export function effects(sandbox: Sandbox): readonly Effect[] {
  const path = join(sandbox.folder, 'effects');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [attempt = '', word = ''] = line.split(' ');
      return { attempt, word };
    });
}

/** Processes that carry the run in their environment. */
export function processesOf(runId: string): readonly string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(join('/proc', entry, 'environ'), 'latin1').includes(`CONTENDER_RUN_ID=${runId}`);
    } catch {
      return false;
    }
  });
}

/** Attempts that the journal has, with how they ended. */
export function attemptsIn(events: readonly RunEvent[]): ReadonlyMap<string, string | null> {
  const attempts = new Map<string, string | null>();
  for (const event of events) {
    if (event.type !== 'attempt-started' && event.type !== 'attempt-finished') continue;
    const { step, index, attempt } = event;
    const outcome = event.type === 'attempt-started' ? null : event.outcome;
    // Whatever else ended it must not pass for the end of its server.
    const killed = outcome?.kind === 'failed' && outcome.message.startsWith('the server ended while it ran');
    const failure = outcome?.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : null;
    attempts.set(`${step}/${index}/${attempt}`, killed ? 'lost' : (failure ?? outcome?.kind ?? null));
  }
  return attempts;
}

/** What the journal says agrees with what was done. */
export function assertConsistent(sandbox: Sandbox, runId: string, events: readonly RunEvent[]): void {
  const attempts = attemptsIn(events);
  const seen = effects(sandbox);
  assert.deepEqual(
    seen.filter(({ word }) => word === 'twice'),
    [],
    'no step runs twice at once',
  );
  for (const word of ['begin', 'end']) {
    const of = seen.filter((effect) => effect.word === word).map(({ attempt }) => attempt);
    assert.deepEqual(of, [...new Set(of)], `no attempt has two of ${word}`);
  }
  for (const { attempt, word } of seen) {
    const outcome = attempts.get(attempt.slice(runId.length + 1));
    assert.ok(outcome !== undefined, `${attempt} is in the journal`);
    if (word === 'end') assert.ok(outcome === 'succeeded' || outcome === 'lost', `${attempt} ended: ${outcome}`);
  }
  for (const [attempt, outcome] of attempts) {
    if (outcome !== 'succeeded') assert.equal(outcome, 'lost', attempt);
    else
      assert.ok(
        seen.some((effect) => effect.attempt === `${runId}/${attempt}` && effect.word === 'end'),
        attempt,
      );
  }
}
