/**
 * `/runs/:id/steps/STEP/INDEX/ATTEMPT/log`: the log of one attempt. A step's name may have slashes; its parts begin with
 * a letter, so the numbers at the end are never a part of it. `?from=` a part, `?q=` a search, `?raw=1` the text;
 * `…/lines?from=&to=` the lines as JSON, for the window over a long log.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readRun } from '../../conductor/read.ts';
import { hasLookLog } from '../../engine/engine.ts';
import type { Attempt, Instance, Run, Step } from '../../engine/run.ts';
import { attemptId } from '../../executor/executor.ts';
import { logLimits, type LogLine, type LogPage, type LogStore } from '../../outputs/outputs.ts';
import { errorPage, logPage, viewLimits, withoutAnsi, type LogSearch } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import { AtOnce, comeBackAfterSeconds } from '../at-once.ts';
import type { PageReply } from './reply.ts';
import { fieldOf, numberOf, parameterOf } from './request.ts';
import { isClosed, type RunReader } from './run-reader.ts';

const limits = { linesAtOnceMax: 2000, searchLinesMax: 2_000_000, searchesMax: 4 } as const;

interface Wanted {
  readonly step: string;
  readonly index: number;
  readonly attempt: number;
  readonly view: 'log' | 'lines';
}

export function logRoutes(app: FastifyInstance, ports: ServerPorts, reader: RunReader, pages: PageReply): void {
  const searches = new AtOnce(limits.searchesMax);
  app.get('/runs/:id/steps/*', { exposeHeadRoute: false }, async (request, reply) => {
    const runId = parameterOf(request, 'id');
    const wanted = parseWanted(parameterOf(request, '*'));
    const found = wanted === null ? null : await findAttempt(ports, runId, wanted);
    if (wanted === null || found === null)
      return pages.send(
        request,
        reply,
        errorPage(404, 'There is no such attempt. Its run may have been cleared away.'),
        404,
      );
    const key = attemptId(runId, wanted);
    const { run, step, instance, number } = found;
    const removed = reader.removed(run.finishedAt);
    if (wanted.view === 'lines') return linesReply(ports.logs, key, removed, request, reply);
    if (fieldOf(request.query, 'raw') !== null) return rawReply(ports.logs, key, removed, wanted, reply);
    const { lines, total, closed } = await readPart(ports.logs, key, numberOf(request.query, 'from'));
    const searched = await searchFor(ports.logs, key, request, searches);
    if (searched === 'full') {
      void reply.header('retry-after', comeBackAfterSeconds);
      const full = `${limits.searchesMax} searches are under way, which is the most. Try again in a moment.`;
      return pages.send(request, reply, errorPage(503, full), 503);
    }
    const page = logPage({
      runId,
      runNumber: number,
      pipeline: run.opened.pipeline,
      step: wanted.step,
      index: wanted.index,
      mapped: step.definition.map !== null,
      attempt: wanted.attempt,
      attempts: Math.max(1, instance.attempts.length),
      state:
        found.attempt === null || wanted.attempt === instance.attempts.length ? instance.state : stateOf(found.attempt),
      lines,
      total,
      closed: isClosed(closed, step.definition.work.kind, instance.state),
      removed,
      startedAt: lines[0]?.number === 1 ? lines[0].at : ((await ports.logs.read(key, 1, 1)).lines[0]?.at ?? 0),
      errorLine: hasFailed(found) ? await reader.errorLine(key) : null,
      search: searched,
    });
    return pages.send(request, reply, page);
  });
}

function parseWanted(path: string): Wanted | null {
  const match = /^(.+)\/(\d{1,6})\/(\d{1,6})\/(log|lines)$/.exec(path);
  if (match === null) return null;
  const [, step = '', index, attempt, view] = match;
  return { step, index: Number(index), attempt: Number(attempt), view: view === 'lines' ? 'lines' : 'log' };
}

interface FoundAttempt {
  readonly run: Run;
  readonly number: number;
  readonly step: Step;
  readonly instance: Instance;
  /** Null: it is the log of looks. */
  readonly attempt: Attempt | null;
}

/** Only attempts and waits that the journal knows: the address decides about no other file. */
async function findAttempt({ journal }: ServerPorts, runId: string, wanted: Wanted): Promise<FoundAttempt | null> {
  const [run, row] = await Promise.all([readRun(journal, runId), journal.run(runId)]);
  const step = run?.steps.get(wanted.step);
  const instance = step?.instances?.[wanted.index];
  if (run === null || row === null || step === undefined || instance === undefined) return null;
  const attempt = instance.attempts[wanted.attempt - 1] ?? null;
  const isOfLooks = wanted.attempt === 1 && hasLookLog(step.definition.work, instance);
  return attempt === null && !isOfLooks ? null : { run, number: row.number, step, instance, attempt };
}

function hasFailed({ attempt, instance }: FoundAttempt): boolean {
  return attempt === null ? instance.state === 'failed' : attempt.outcome?.kind === 'failed';
}

function stateOf(attempt: Attempt): 'running' | 'success' | 'failed' | 'skipped' {
  if (attempt.outcome === null) return 'running';
  if (attempt.outcome.kind === 'succeeded') return 'success';
  return attempt.outcome.kind === 'failed' ? 'failed' : 'skipped';
}

/** The whole log where it is short enough, else the part from `from`. */
async function readPart(logs: LogStore, key: string, from: number | null): ReturnType<LogStore['read']> {
  const { total } = await logs.read(key, 1, 0);
  if (total <= viewLimits.logPlainLines) return logs.read(key, 1, viewLimits.logPlainLines);
  const first = Math.max(1, Math.min(from ?? 1, total));
  return logs.read(key, first, first + viewLimits.logPartLines - 1);
}

async function linesReply(
  logs: LogStore,
  key: string,
  removed: string | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const from = Math.max(1, numberOf(request.query, 'from') ?? 1);
  const to = Math.min(numberOf(request.query, 'to') ?? from, from + limits.linesAtOnceMax - 1);
  const page = await logs.read(key, from, to);
  return reply.header('cache-control', 'no-store').send({ ...page, removed: isGone(page) ? removed : null });
}

/** There is nothing of it, not even that it was closed without a line. */
function isGone({ total, closed }: Pick<LogPage, 'total' | 'closed'>): boolean {
  return total === 0 && !closed;
}

async function rawReply(
  logs: LogStore,
  key: string,
  removed: string | null,
  { step, index, attempt }: Wanted,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (removed !== null && isGone(await logs.read(key, 1, 0)))
    return reply
      .type('text/plain; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(`This log was ${removed}.\n`);
  const name = `${step.replaceAll('/', '.')}-${index}-${attempt}.log`;
  void reply.headers({
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="${name}"`,
    'cache-control': 'no-store',
  });
  return reply.send(Readable.from(rawText(logs, key)));
}

async function* rawText(logs: LogStore, key: string): AsyncGenerator<string> {
  for await (const lines of linesFrom(logs, key, 1)) yield lines.map((line) => `${line.text}\n`).join('');
}

async function* linesFrom(logs: LogStore, key: string, first: number): AsyncGenerator<readonly LogLine[]> {
  for (let from = first; ; from += logLimits.pageLinesMax) {
    const { lines, total } = await logs.read(key, from, from + logLimits.pageLinesMax - 1);
    if (lines.length > 0) yield lines;
    if (from + logLimits.pageLinesMax > total) return;
  }
}

/** Null: none was asked for. */
async function searchFor(
  logs: LogStore,
  key: string,
  { query }: FastifyRequest,
  searches: AtOnce,
): Promise<LogSearch | 'full' | null> {
  const words = fieldOf(query, 'q');
  if (words === null) return null;
  const leave = searches.take();
  if (leave === null) return 'full';
  try {
    return await search(logs, key, words, (numberOf(query, 'after') ?? 0) + 1);
  } finally {
    leave();
  }
}

/** All lines from `from` that have the words in them as a person reads them: without colours, in any case. */
async function search(logs: LogStore, key: string, query: string, from: number): Promise<LogSearch> {
  const wanted = query.toLowerCase();
  const matches: LogLine[] = [];
  let searchedTo = from - 1;
  for await (const lines of linesFrom(logs, key, from)) {
    for (const line of lines) {
      if (withoutAnsi(line.text).toLowerCase().includes(wanted)) matches.push(line);
      searchedTo = line.number;
      if (matches.length >= viewLimits.searchMatchesMax) break;
    }
    if (matches.length >= viewLimits.searchMatchesMax || searchedTo - from >= limits.searchLinesMax) break;
  }
  return { query, matches, searchedFrom: from, searchedTo };
}
