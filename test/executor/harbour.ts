/** An executor of other machines with its desk, its server for agents on loopback and stores in a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import { openAttemptFiles } from '../../src/executor/desk/attempt-files.ts';
import { Desk, lateReports } from '../../src/executor/desk/desk.ts';
import type { Placing } from '../../src/executor/desk/placing.ts';
import { createRemoteExecutor } from '../../src/executor/desk/remote-executor.ts';
import { createTokens, openTokenKey } from '../../src/executor/desk/tokens.ts';
import type { AttemptReport, AttemptSpec, AttemptWork, Executor } from '../../src/executor/executor.ts';
import { instanceOf } from '../../src/executor/kubernetes/pod-name.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';
import { createAgentServer } from '../../src/server/agent-server.ts';
import type { Clock } from '../../src/std/clock.ts';
import { specOf, until, type FinishedReport } from './workshop.ts';

export interface HarbourOptions {
  /** Where attempts are placed; opened again for each next server. */
  readonly openPlacing: (parts: HarbourParts) => Placing;
  /** Where the server for agents listens, and under which name they reach that. */
  readonly listen: {
    readonly host: string;
    readonly seenAs: string;
    /** Sets something before its port, and gives the port of that. */
    readonly behind?: (port: number) => Promise<number>;
  };
  readonly slots?: number;
  /** Until a question of an agent that waits for something is answered. */
  readonly waitMs?: number;
  readonly clock?: Clock;
  /** Whether the server surely conducts; it does, unless given. */
  readonly trusted?: () => boolean;
  readonly files?: { readonly [path: string]: string };
  /** Is told each report as it comes. */
  readonly heard?: (report: AttemptReport) => void;
}

export interface HarbourParts extends ReturnType<typeof createDirectoryStores> {
  /** Which the next server has too. */
  readonly folder: string;
  readonly desk: Desk;
  readonly clock: Clock;
  readonly instance: string;
  readonly agentUrl: string;
  readonly trusted: () => boolean;
  readonly trouble: (error: unknown, what: string) => void;
}

export interface Harbour {
  readonly folder: string;
  readonly source: string;
  readonly executor: Executor;
  readonly reports: readonly AttemptReport[];
  readonly secrets: Map<string, string>;
  readonly troubles: readonly string[];
  readonly stores: ReturnType<typeof createDirectoryStores>;
  /** Of this installation: what it places elsewhere is marked with it. */
  readonly instance: string;
  /** Under which its server for agents is reached. */
  readonly agentUrl: string;
  /** This server is gone; the next one, with the same files. */
  next(): Promise<{ readonly executor: Executor; readonly reports: readonly AttemptReport[] }>;
  finished(attemptId: string): Promise<FinishedReport>;
  running(attemptId: string): Promise<AttemptReport>;
  run(work: AttemptWork, changes?: Partial<AttemptSpec>): Promise<AttemptOutcome>;
  log(attemptId: string): Promise<string[]>;
  /** Its log without what its pod waited for, which is another on a busy cluster. */
  printed(attemptId: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openHarbour(options: HarbourOptions): Promise<Harbour> {
  const folder = await mkdtemp(join(tmpdir(), 'harbour-'));
  const source = join(folder, 'source');
  await mkdir(source);
  for (const [path, text] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text, { mode: 0o755 });
  }
  const { clock = { now: Date.now }, trusted = () => true } = options;
  const stores = createDirectoryStores({ directory: join(folder, 'stores'), clock });
  const key = openTokenKey(folder);
  const instance = instanceOf(key);
  const secrets = new Map<string, string>();
  const troubles: string[] = [];
  const ports = { sourceTree: async () => source, secret: (name: string) => secrets.get(name) ?? null };
  const files = openAttemptFiles(join(folder, 'attempts'));
  let desk: Desk | null = null;
  const log = async (attemptId: string): Promise<string[]> =>
    (await stores.logs.read(attemptId, 1, 10_000)).lines.map((line) => line.text);
  const server = createAgentServer({
    desk: () => (trusted() ? desk : null),
    log: { error: (fields, message) => void troubles.push(`${message}: ${String(fields['error'])}`) },
  });
  await server.listen({ host: options.listen.host, port: 0 });
  const [address] = server.addresses();
  const { seenAs, behind = async (port: number) => port } = options.listen;
  const agentUrl = `http://${seenAs}:${await behind(typeof address === 'object' ? address.port : 0)}`;

  const open = (): { executor: Executor; reports: AttemptReport[] } => {
    const reports: AttemptReport[] = [];
    const report = (word: AttemptReport): void => {
      reports.push(word);
      options.heard?.(word);
    };
    const own = new Desk({
      ...stores,
      ...ports,
      files,
      clock,
      tokens: createTokens(key),
      late: lateReports(report, clock),
      ...(options.waitMs === undefined ? {} : { waitMs: options.waitMs }),
    });
    desk = own;
    const trouble = (error: unknown, what: string): void => void troubles.push(`${what}: ${String(error)}`);
    const parts = { ...stores, folder, desk: own, clock, instance, agentUrl, trusted, trouble };
    const placing = options.openPlacing(parts);
    const executor = createRemoteExecutor({
      placing,
      report,
      sourceTree: ports.sourceTree,
      desk: own,
      files,
      logs: stores.logs,
      clock,
      slots: options.slots ?? 4,
      trouble,
    });
    return { executor, reports };
  };
  let current = open();
  const { executor, reports } = current;
  await executor.recover([]);
  const finished = (attemptId: string): Promise<FinishedReport> =>
    until(
      `the end of ${attemptId}`,
      () =>
        current.reports.find((word) => word.type === 'finished' && word.attemptId === attemptId) as
          | FinishedReport
          | undefined,
    );
  return {
    folder,
    source,
    executor,
    reports,
    secrets,
    troubles,
    stores,
    instance,
    agentUrl,
    async next() {
      await current.executor.close();
      current = open();
      return current;
    },
    finished,
    running: (attemptId) =>
      until(`${attemptId} to run`, () =>
        current.reports.find((word) => word.type === 'running' && word.attemptId === attemptId),
      ),
    async run(work, changes) {
      const spec = specOf(work, changes);
      await current.executor.start(spec);
      return (await finished(spec.attemptId)).outcome;
    },
    log,
    printed: async (attemptId) => (await log(attemptId)).filter((line) => !line.startsWith('Its pod waits: ')),
    async close() {
      await current.executor.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
