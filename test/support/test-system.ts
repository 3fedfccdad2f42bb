/** A whole system on a Git repository of its own in a temporary folder: real Git, SQLite and processes, nothing shared. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readRun } from '../../src/conductor/read.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { Run } from '../../src/engine/run.ts';
import type { RunRow } from '../../src/journal/journal.ts';
import { openSystem, type System } from '../../src/main.ts';
import { parseSha, type Sha } from '../../src/git/git.ts';
import type { Clock } from '../../src/std/clock.ts';

export interface TestRepository {
  readonly folder: string;
  git(...args: readonly string[]): string;
  /** Writes files (null removes), commits them on the current branch and gives the commit. */
  commit(message: string, files: Readonly<Record<string, string | null>>): Sha;
  remove(): void;
}

export function createRepository(): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'contender-flow-'));
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=mona', '-c', 'user.email=mona@example.com', ...args], {
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  // Looked at often, so that no test waits for a poll.
  writeFileSync(join(folder, 'contender.yaml'), 'repositories: [{ url: ., poll: 100ms }]\n');
  writeFileSync(join(folder, '.gitignore'), '.contender/\n');
  return {
    folder,
    git,
    commit(message, files) {
      for (const [path, text] of Object.entries(files)) {
        if (text === null) rmSync(join(folder, path));
        else {
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          writeFileSync(join(folder, path), text);
        }
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '-m', message);
      const sha = parseSha(git('rev-parse', 'HEAD'));
      if (!sha.ok) throw new Error(sha.error.message);
      return sha.value;
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export interface TestSystem extends System {
  /** Name of the repository in the configuration. */
  readonly repository: string;
  /** The first run that `wanted` accepts, waited for; fails when the patience is over. */
  untilRun(what: string, wanted: (row: RunRow) => boolean): Promise<RunRow>;
  /** The state of a run, folded from the journal. */
  read(runId: string): Promise<Run>;
  /** Waits until `fact` gives something; fails with `what` when the patience is over. */
  until<T>(what: string, fact: () => Promise<T | null | undefined>): Promise<T>;
  /** Standard output of the local forge. */
  readonly printed: string[];
  /** Warnings of the log. */
  readonly warnings: readonly string[];
}

const patienceMs = 120_000;

export interface TestSystemOptions {
  readonly watch: boolean;
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** How long a fact is waited for; two minutes unless given. */
  readonly patienceMs?: number;
}

/** `folder` holds `contender.yaml`. */
export async function openTestSystem(
  { folder }: Pick<TestRepository, 'folder'>,
  options: TestSystemOptions,
): Promise<TestSystem> {
  const config = loadConfig(folder, options.environment ?? {});
  const printed: string[] = [];
  const warnings: string[] = [];
  const quiet = {
    info: () => undefined,
    warn: (fields: object, message: string) => warnings.push(`${message} ${JSON.stringify(fields)}`),
    error: (fields: object, message: string) => printed.push(`${message} ${JSON.stringify(fields)}`),
  };
  const system = await openSystem({
    config,
    log: quiet,
    print: (line) => printed.push(line),
    publicUrl: () => options.url ?? null,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const waiting = new Set<() => void>();
  system.conductor.watch(() => {
    for (const wake of waiting) wake();
  });

  const until = async <T>(what: string, fact: () => Promise<T | null | undefined>): Promise<T> => {
    const endsAt = performance.now() + (options.patienceMs ?? patienceMs);
    for (;;) {
      const found = await fact();
      if (found !== null && found !== undefined) return found;
      if (performance.now() > endsAt)
        throw new Error(`waited in vain for ${what}; the log says:\n${[...printed, ...warnings].join('\n')}`);
      await nextChange(waiting);
    }
  };

  await system.conductor.start({ watch: options.watch });
  const [name = ''] = system.projects.keys();
  return {
    ...system,
    repository: name,
    printed,
    warnings,
    until,
    untilRun: (what, wanted) => until(what, async () => (await system.journal.runs({ limit: 200 })).find(wanted)),
    async read(runId) {
      const run = await readRun(system.journal, runId);
      if (run === null) throw new Error(`there is no run ${runId}`);
      return run;
    },
  };
}

/** A change of any run, or a moment for what changes without one (an outbox row). */
function nextChange(waiting: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      waiting.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, 50);
    waiting.add(wake);
  });
}
