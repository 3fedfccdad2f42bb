/**
 * `kill -9` of a real server before or after each transaction of one scenario: a push is run, its model becomes champion,
 * and its commit gets a note. Each death has a repository and a database of its own; the next server has to come to the
 * same end as one that never died. Shared by the tests of both databases.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import type { Journal } from '../../src/journal/journal.ts';
import { createProject, program, type Sandbox } from '../cli/sandbox.ts';
import { attemptsIn, processesOf, start, until } from '../support/killed-server.ts';
import { challengePipeline } from './pipelines.ts';

/** A database of its own for one death. */
export interface Store {
  readonly environment: Readonly<Record<string, string>>;
  /** For reading, beside the server; null while there is nothing to read yet. */
  open(): Promise<Journal | null>;
  /** The server is dead: what would tell the next one so only after a while. */
  died(): Promise<void>;
}

type Moment = 'before' | 'after';

/**
 * Dies before and after one transaction after the other, until the scenario is over before its server dies. Gives how often
 * it died.
 */
export async function dieAtEveryWrite(storeOf: (sandbox: Sandbox) => Promise<Store>): Promise<number> {
  let next = 1;
  let deaths = 0;
  let isOver = false;
  const worker = async (): Promise<void> => {
    while (!isOver) {
      const at = next;
      next += 1;
      for (const when of ['before', 'after'] as const) {
        if (await dieOnce(storeOf, at, when)) deaths += 1;
        else isOver = true;
      }
    }
  };
  await Promise.all([worker(), worker()]);
  return deaths;
}

/** Whether the server died before the scenario was over. */
async function dieOnce(storeOf: (sandbox: Sandbox) => Promise<Store>, at: number, when: Moment): Promise<boolean> {
  const sandbox = createProject({ 'contender.yaml': 'repositories: [{ url: ., poll: 200ms }]\n' });
  try {
    const store = await storeOf(sandbox);
    const death = {
      CONTENDER_TEST_DIE_AT: String(at),
      CONTENDER_TEST_DIE: when,
      CONTENDER_TEST_PROGRAM: dirname(program),
    };
    const dying = start(sandbox, { ...store.environment, ...death }, 'die-at-write.ts');
    const { child } = dying;
    const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
    const scenario = new Scenario(sandbox, store);
    try {
      await until(`the death ${when} write ${at}`, async () => (!isAlive() || (await scenario.goOn()) ? true : null));
      const died = !isAlive();
      dying.kill('SIGTERM');
      await dying.ended;
      await store.died();
      const server = start(sandbox, store.environment);
      await server.until(/is at http/);
      await until(`the end after a death ${when} write ${at}`, async () => ((await scenario.goOn()) ? true : null));
      await scenario.assertWhole();
      server.kill('SIGTERM');
      const { status, out, err } = await server.ended;
      assert.equal(status, 0, `after a death ${when} write ${at}:\n${out}${err}`);
      return died;
    } finally {
      await scenario.close();
    }
  } finally {
    await sandbox.remove();
  }
}

/** Carried on by whichever server is up. */
class Scenario {
  readonly #sandbox: Sandbox;
  readonly #store: Store;
  #journal: Journal | null = null;
  #sha: string | null = null;

  constructor(sandbox: Sandbox, store: Store) {
    this.#sandbox = sandbox;
    this.#store = store;
  }

  /** Pushes once the repository is watched; true where nothing is left to happen. */
  async goOn(): Promise<boolean> {
    this.#journal ??= await this.#store.open();
    const journal = this.#journal;
    if (journal === null || (await journal.heads('work')).size === 0) return false;
    this.#sha ??= this.#sandbox.commit({ '.pipelines/churn.ts': challengePipeline(0.9) });
    const [evaluation] = await journal.evaluations({ sha: this.#sha, limit: 1 });
    return evaluation?.state === 'promoted' && (await journal.nextOutboxAt()) === null;
  }

  /** Nothing is lost, nothing is there twice. */
  async assertWhole(): Promise<void> {
    const journal = this.#journal;
    const sha = this.#sha;
    assert.ok(journal !== null && sha !== null);
    const rows = await journal.runs({ limit: 10 });
    assert.deepEqual(
      rows.map(({ state, number, opened }) => ({ state, number, sha: opened.sha })),
      [{ state: 'success', number: 1, sha }],
    );
    const [run] = rows;
    for (const [attempt, outcome] of attemptsIn(await journal.events(run?.id ?? '')))
      assert.ok(outcome === 'succeeded' || outcome === 'lost', `${attempt}: ${outcome}`);
    assert.deepEqual(processesOf(run?.id ?? ''), []);
    const ofModels = (path: string): string => this.#sandbox.git('show', `contender/models:${path}`);
    assert.match(ofModels('models/churn.json'), /"champion": 1\n/);
    assert.equal(ofModels('ledger/churn.jsonl').split('\n').length, 1, ofModels('ledger/churn.jsonl'));
    assert.match(this.#sandbox.git('notes', '--ref=contender', 'show', sha), /churn/);
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }
}
