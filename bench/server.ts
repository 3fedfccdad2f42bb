/**
 * The server as a process of its own, as a user starts it: start to ready, memory at rest (the server alone, and with
 * its helpers, shared pages counted once), a signed webhook to its answer, and to the start of the first step.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { openSqliteReader } from '../src/journal/sqlite-reader.ts';
import { createFakeGitHub } from '../src/demo/github/github.ts';
import { createRepository, type TestRepository } from '../test/support/test-system.ts';
import { isBuilt, nodeOptions } from './contender/subject.ts';
import type { Figure } from './figures.ts';
import { median, medianMs, round, timed, type BenchOptions } from './measure.ts';
import { idleUsage, rssMb, treesOf } from './processes.ts';

const secret = 'bench';

/** What is installed is the built package, which loads faster and needs less memory: measured where it was built. */
const program = isBuilt ? 'dist/src/cli/bin.js' : 'src/cli/bin.ts';

export async function benchServer({ say, repetitions, sizes }: BenchOptions): Promise<void> {
  const repository = createRepository();
  repository.commit('Begin', { '.pipelines/first.ts': onPush('Begin') });
  const state = join(repository.folder, '.contender');
  mkdirSync(state);
  const github = await createFakeGitHub({
    directory: state,
    owner: 'mona',
    name: 'bench',
    webhookUrl: null,
    webhookSecret: secret,
    users: [],
    validate: false,
  });
  try {
    const readyMs: number[] = [];
    for (let repetition = 1; repetition < repetitions; repetition += 1) {
      const server = await startServer(repository, github.url, github.token);
      readyMs.push(server.readyMs);
      await stop(server.child);
    }
    const server = await startServer(repository, github.url, github.token);
    readyMs.push(server.readyMs);
    say({
      workload: 'server-start',
      program,
      node_options: nodeOptions,
      ready_ms: round(median(readyMs)),
      bare_node_start_ms: round(await bareNodeMs(repetitions)),
      target_ready_ms: 1000,
    });
    const bare = await startBare(state);
    say({
      ...(await webhooks(repository, state, server.url, repetitions)),
      bare_to_answer_ms: await bareAnswerMs(bare.url, repetitions),
    });
    const bareIdle = await idleUsage([bare.child.pid ?? 0], sizes.idleMs);
    say({
      workload: 'idle',
      peer: 'node:http',
      how: 'a bare server of webhooks, SQLite',
      rss_mb: bareIdle.rssMb,
      pss_mb: bareIdle.pssMb,
      core_percent: round(bareIdle.cpuPercent),
    });
    await stop(bare.child);
    const pid = server.child.pid ?? 0;
    await untilAtRest(pid);
    const idle = await idleUsage([pid], sizes.idleMs);
    say({
      workload: 'idle',
      peer: 'contender',
      how: 'serve, SQLite, after a run',
      rss_mb: idle.rssMb,
      pss_mb: idle.pssMb,
      core_percent: round(idle.cpuPercent),
      server_rss_mb: rssMb(pid),
      target_rss_mb: 100,
      target_core_percent: 0.5,
    });
    await stop(server.child);
  } finally {
    await github.close();
    repository.remove();
  }
}

function onPush(title: string): string {
  return `// ${title}\nimport { pipeline, step } from 'contender';\nexport default pipeline('first', { on: { push: { branches: ['main'] } } }, () => {\n  step('begin', { command: ['true'] });\n});\n`;
}

async function startServer(
  repository: TestRepository,
  apiUrl: string,
  token: string,
): Promise<{ child: ChildProcess; url: string; readyMs: number }> {
  // Git is read from the folder, so that the figures are the server's and not those of a server for Git.
  writeFileSync(
    join(repository.folder, 'contender.yaml'),
    `repositories:\n  - url: .\n    github: { repository: mona/bench, apiUrl: ${apiUrl} }\n    poll: 60s\n`,
  );
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program, '-C', repository.folder, 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: nodeOptions, CONTENDER_GITHUB_TOKEN: token, CONTENDER_WEBHOOK_SECRET: secret },
  });
  const url = await addressSaid(child.stdout, /is at (http\S+?),/);
  return { child, url, readyMs: performance.now() - startedAt };
}

async function startBare(folder: string): Promise<{ child: ChildProcess; url: string }> {
  // As JavaScript: what reads TypeScript takes twenty megabytes.
  const bare = join(folder, 'bare-webhooks.mjs');
  writeFileSync(bare, stripTypeScriptTypes(readFileSync(new URL('bare-webhooks.ts', import.meta.url), 'utf8')));
  const child = spawn(process.execPath, [bare, folder, secret], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: nodeOptions },
  });
  return { child, url: await addressSaid(child.stdout, /^(http.*)$/) };
}

async function addressSaid(output: Readable, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = pattern.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the server ended before it was ready');
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function bareNodeMs(repetitions: number): Promise<number> {
  const times: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const startedAt = performance.now();
    await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

/** Commits, announces them one after the other, and waits for the first step of each. */
async function webhooks(repository: TestRepository, state: string, url: string, repetitions: number): Promise<Figure> {
  const journal = await openSqliteReader({ directory: state });
  const answerMs: number[] = [];
  const stepMs: number[] = [];
  try {
    for (let repetition = 0; repetition <= repetitions; repetition += 1) {
      const before = repository.git('rev-parse', 'HEAD');
      const sha = repository.commit(`Commit ${repetition}`, { '.pipelines/first.ts': onPush(String(repetition)) });
      const sentAt = Date.now();
      const answered = await timed(() => deliver(url, before, sha));
      const began = await firstStepAt(journal, sha);
      // The first delivery warms what every later one finds warm.
      if (repetition === 0 && repetitions > 1) continue;
      answerMs.push(answered);
      stepMs.push(began - sentAt);
    }
  } finally {
    await journal.close();
  }
  return {
    workload: 'webhook',
    to_answer_ms: round(median(answerMs)),
    to_first_step_ms: round(median(stepMs)),
    target_to_first_step_ms: 100,
  };
}

/** The median of as many deliveries as Contender's server gets; the first is not counted either. */
async function bareAnswerMs(url: string, repetitions: number): Promise<number> {
  const sha = '0'.repeat(40);
  await deliver(url, sha, sha);
  return round(await medianMs(repetitions, () => timed(() => deliver(url, sha, sha))));
}

async function deliver(url: string, before: string, after: string): Promise<void> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before,
    after,
    repository: { id: 1, name: 'bench', full_name: 'mona/bench', owner: { login: 'mona' } },
    sender: { id: 2, login: 'mona', type: 'User' },
    pusher: { name: 'mona' },
    deleted: false,
    created: false,
    forced: false,
    commits: [],
  });
  const answer = await fetch(`${url}/webhooks/mona/bench`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
  });
  if (answer.status !== 202) throw new Error(`the webhook was answered ${answer.status}: ${await answer.text()}`);
}

async function firstStepAt(journal: Awaited<ReturnType<typeof openSqliteReader>>, sha: string): Promise<number> {
  const endsAt = performance.now() + 30_000;
  while (performance.now() < endsAt) {
    const [row] = await journal.runs({ sha, limit: 1 });
    const events = row === undefined || row.finishedAt === null ? [] : await journal.events(row.id);
    const began =
      events.find((event) => event.type === 'attempt-running') ??
      events.find((event) => event.type === 'attempt-started');
    if (began !== undefined) return began.at;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  throw new Error(`no step of ${sha} began in 30 s`);
}

/** What evaluates definitions rests after some seconds without any: from then on the server is idle. */
async function untilAtRest(pid: number): Promise<void> {
  const endsAt = performance.now() + 30_000;
  while (treesOf([pid]).some((each) => commandLineOf(each.pid).includes('sandbox-process'))) {
    if (performance.now() > endsAt) throw new Error('the sandbox does not rest');
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

/** Processes end while they are looked at. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
