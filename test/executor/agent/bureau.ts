/** A desk, its server on loopback and agents in this process, with stores and files of a commit in a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createAgent, type Agent } from '../../../src/executor/agent/agent.ts';
import { agentLimits, type AgentResult, type AgentTask } from '../../../src/executor/agent/contract.ts';
import { createLink, type Link } from '../../../src/executor/agent/link.ts';
import { unpack } from '../../../src/executor/agent/unpack.ts';
import { openAttemptFiles, type AttemptFiles } from '../../../src/executor/desk/attempt-files.ts';
import { Desk, type DeskEntry } from '../../../src/executor/desk/desk.ts';
import { openMachine } from '../../../src/executor/local/machine.ts';
import { createTokens, openTokenKey } from '../../../src/executor/desk/tokens.ts';
import { createDirectoryStores } from '../../../src/outputs/directory.ts';
import type { LogLimits } from '../../../src/outputs/log-writer.ts';
import { logLimits } from '../../../src/outputs/outputs.ts';
import { createAgentServer } from '../../../src/server/agent-server.ts';

export interface Bureau {
  readonly folder: string;
  readonly url: string;
  readonly stores: ReturnType<typeof createDirectoryStores>;
  readonly files: AttemptFiles;
  readonly secrets: Map<string, string>;
  /** What the server cannot give; how often it goes in the middle of giving it. */
  readonly missing: { source: boolean; endOfSource: number };
  /** What is told of its log. */
  mayHaveMore: boolean;
  /** Until it is known what the container beside a helper printed. */
  collecting: () => Promise<void>;
  readonly results: AgentResult[];
  readonly late: AgentResult[];
  readonly errors: string[];
  /** The paths of all requests, in order. */
  readonly asked: string[];
  desk(): Desk;
  /** The server goes, and another one comes which knows what was begun, as an executor would tell it. */
  nextDesk(): Promise<Desk>;
  /** Opens it, and gives the token that its agent is started with. */
  open(task: AgentTask): string;
  /** What was said of the agent that has begun it. */
  begun(id: string): DeskEntry['begun'];
  agent(token: string): Agent;
  link(token: string): Link;
  log(id: string): Promise<string[]>;
  close(): Promise<void>;
}

/** `waitMs`: until a question that waits for something is answered. `limits`: of the logs of the server. */
export async function openBureau(
  files: { readonly [path: string]: string } = {},
  waitMs: number = agentLimits.waitMs,
  limits: LogLimits = logLimits,
): Promise<Bureau> {
  const folder = await mkdtemp(join(tmpdir(), 'bureau-'));
  const source = join(folder, 'source');
  await mkdir(source);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text, { mode: 0o755 });
  }
  const clock = { now: Date.now };
  const stores = createDirectoryStores({ directory: join(folder, 'stores'), clock, limits });
  const secrets = new Map<string, string>();
  const [results, late, errors, asked]: [AgentResult[], AgentResult[], string[], string[]] = [[], [], [], []];
  const begun = new Map<string, NonNullable<DeskEntry['begun']>>();
  const tasks = new Map<string, AgentTask>();
  const missing = { source: false, endOfSource: 0 };
  const attemptFiles = openAttemptFiles(join(folder, 'attempts'));
  const openDesk = (): Desk =>
    new Desk({
      ...stores,
      files: attemptFiles,
      clock,
      waitMs,
      tokens: createTokens(openTokenKey(folder)),
      async sourceTree() {
        if (missing.source) throw new Error('the commit is not in the mirror');
        return source;
      },
      secret: (name) => secrets.get(name) ?? null,
      late: (_id, result) => void late.push(result),
    });
  let current = openDesk();
  const sit = (task: AgentTask): string => {
    const id = task.spec.attemptId;
    return current.open({
      id,
      log: id,
      task,
      begun: begun.get(id) ?? null,
      listener: {
        begin(agent, linesBefore) {
          begun.set(id, { agent, linesBefore });
          return true;
        },
        result: (result) => void results.push(result),
        ended: async () => undefined,
        async collect() {
          await bureau.collecting();
          return { lastLine: null, hasSucceeded: false, mayHaveMore: bureau.mayHaveMore };
        },
      },
    });
  };
  const server = createAgentServer({
    desk: () => current,
    log: { error: (fields, message) => void errors.push(`${message}: ${String(fields['error'])}`) },
  });
  server.addHook('onRequest', async ({ url: path }) => void asked.push(path));
  server.addHook('onSend', async (request, _reply, payload: unknown) => {
    if (!request.url.endsWith('/source') || !(payload instanceof Readable) || missing.endOfSource === 0) return payload;
    missing.endOfSource -= 1;
    return Readable.from(beginningOf(payload));
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const link = (token: string): Link => createLink({ url, token, say: () => undefined });
  let agents = 0;
  const bureau: Bureau = {
    folder,
    url,
    stores,
    files: attemptFiles,
    secrets,
    missing,
    mayHaveMore: false,
    collecting: async () => undefined,
    results,
    late,
    errors,
    asked,
    desk: () => current,
    async nextDesk() {
      await current.close();
      current = openDesk();
      for (const task of tasks.values()) sit(task);
      return current;
    },
    open(task) {
      tasks.set(task.spec.attemptId, task);
      return sit(task);
    },
    begun: (id) => begun.get(id) ?? null,
    agent: (token) =>
      createAgent({
        link: link(token),
        place: 'here',
        directory: join(folder, `agent-${(agents += 1)}`),
        secretsFolder: join(folder, 'secrets'),
        collectMs: 0,
        nodeModules: null,
        openMachine(work) {
          const machine = openMachine({
            directory: work,
            environment: { PATH: process.env['PATH'] ?? '' },
            single: true,
          });
          return { machine, close: () => machine.close() };
        },
        sources: null,
        clock,
        unpack,
      }),
    link,
    log: async (id) => (await stores.logs.read(id, 1, 10_000)).lines.map(({ text }) => text),
    async close() {
      await server.close();
      await current.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return bureau;
}

async function* beginningOf(stream: Readable): AsyncGenerator {
  for await (const chunk of stream) {
    yield chunk;
    throw new Error('the server has gone');
  }
}
