/**
 * `/runs/:id/events`: server-sent events of one run for one page. Each stream sends the view once and then what changed,
 * at most every 250 ms, and the lines of the log that the page shows. An event's id says how far its reader is, so that
 * a stream that broke goes on where it was. It ends by itself when nothing can change any more.
 *
 *   event: view    the view without its graph      event: log   lines of the shown attempt
 *   event: change  a RunChange                     event: end   nothing follows
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { attemptId } from '../../executor/executor.ts';
import { changeBetween, logKeyOf, viewLimits, type RunView, type Selection } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import { fieldOf } from './request.ts';
import { cutLine, isClosed, type RunReader } from './run-reader.ts';

const streamLimits = {
  streamsMax: 500,
  gapMs: 250,
  lookAgainMs: 5000,
  /** Where another server carries the run out, and its hints may be lost. */
  lookElsewhereMs: 2000,
  settleMs: 60_000,
  logLinesMax: 500,
  unsentBytesMax: 4 * 1024 * 1024,
} as const;

export class RunStreams {
  readonly #ports: ServerPorts;
  readonly #reader: RunReader;
  readonly #open = new Set<RunStream>();

  constructor(ports: ServerPorts, reader: RunReader) {
    this.#ports = ports;
    this.#reader = reader;
  }

  async open(request: FastifyRequest, reply: FastifyReply, runId: string, selection: Selection): Promise<void> {
    if (this.#open.size >= streamLimits.streamsMax) {
      await reply.code(503).header('retry-after', '10').send({ error: 'too many live pages' });
      return;
    }
    const reading = await this.#reader.read(runId, selection);
    if (reading === null) {
      await reply.code(404).send({ error: 'no such run' });
      return;
    }
    const seen = readSeen(request.headers['last-event-id'] ?? fieldOf(request.query, 'seen'));
    // 204 tells the browser not to come back.
    if (
      reading.settled &&
      seen !== null &&
      seen.position === reading.view.position &&
      request.headers['last-event-id'] !== undefined
    ) {
      await reply.code(204).send();
      return;
    }
    reply.hijack();
    // Who left meanwhile says so no more.
    if (reply.raw.destroyed) return;
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const stream = new RunStream(this.#ports, this.#reader, reply.raw, runId, selection, seen);
    this.#open.add(stream);
    reply.raw.once('close', () => {
      stream.stop();
      this.#open.delete(stream);
    });
    stream.start();
  }

  /** The server closes: no stream keeps it open. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

/** How far a reader is: `<position>/<key of its log>/<its last line>`. */
interface Seen {
  readonly position: number;
  readonly logKey: string;
  readonly line: number;
}

function readSeen(id: string | readonly string[] | null): Seen | null {
  const match = typeof id === 'string' ? /^(\d{1,12})\/(.{0,300})\/(\d{1,12})$/.exec(id) : null;
  return match === null ? null : { position: Number(match[1]), logKey: match[2] ?? '', line: Number(match[3]) };
}

class RunStream {
  readonly #ports: ServerPorts;
  readonly #reader: RunReader;
  readonly #response: ServerResponse;
  readonly #runId: string;
  readonly #selection: Selection;
  readonly #startedAt = performance.now();
  #sent: RunView | null = null;
  #logKey: string;
  #line: number;
  #unwatchRun: (() => void) | null = null;
  #unwatchLog: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #working = false;
  #stopped = false;
  /** Something changed since the last look. */
  #dirty = true;

  constructor(
    ports: ServerPorts,
    reader: RunReader,
    response: ServerResponse,
    runId: string,
    selection: Selection,
    seen: Seen | null,
  ) {
    this.#ports = ports;
    this.#reader = reader;
    this.#response = response;
    this.#runId = runId;
    this.#selection = selection;
    this.#logKey = seen?.logKey ?? '';
    this.#line = seen?.line ?? 0;
  }

  start(): void {
    this.#response.write('retry: 1000\n\n');
    this.#unwatchRun = this.#ports.conductor.watch((runId) => {
      if (runId === this.#runId) this.#wake();
    });
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#unwatchRun?.();
    this.#unwatchLog?.();
  }

  end(): void {
    this.stop();
    this.#response.end();
  }

  readonly #wake = (): void => {
    this.#dirty = true;
    if (!this.#working) this.#soon(0);
  };

  #soon(ms: number): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#work().catch((error: unknown) => {
        this.#ports.log.error({ runId: this.#runId, error: String(error) }, 'a live page could not be served');
        this.end();
      });
    }, ms);
  }

  async #work(): Promise<void> {
    if (this.#working || this.#stopped) return;
    this.#working = true;
    try {
      // A reader that is behind is left alone until it has caught up.
      if (this.#response.writableLength > streamLimits.unsentBytesMax) return this.#soon(streamLimits.gapMs);
      this.#dirty = false;
      const settled = await this.#sendView();
      const more = await this.#sendLog();
      if (this.#stopped) return undefined;
      if (settled && !more) {
        this.#write('end', {});
        return this.end();
      }
      this.#working = false;
      const { conducts } = this.#ports.conductor.standing();
      const quietMs = conducts ? streamLimits.lookAgainMs : streamLimits.lookElsewhereMs;
      this.#soon(this.#dirty || more ? streamLimits.gapMs : quietMs);
    } finally {
      this.#working = false;
    }
    return undefined;
  }

  /** Whether nothing more will come. */
  async #sendView(): Promise<boolean> {
    const reading = await this.#reader.read(this.#runId, this.#selection);
    if (reading === null || this.#stopped) return true;
    const { view, settled } = reading;
    this.#followLog(view);
    if (this.#sent === null) this.#write('view', { ...view, graph: null }, view.position);
    else {
      const change = changeBetween(this.#sent, view);
      // The time alone is a heartbeat: it says that the server is there.
      this.#write('change', change, view.position);
    }
    this.#sent = view;
    const { finishedAt } = view.head;
    return (
      settled ||
      (finishedAt !== null &&
        performance.now() - this.#startedAt > streamLimits.settleMs &&
        this.#ports.clock.now() - finishedAt > streamLimits.settleMs)
    );
  }

  #followLog(view: RunView): void {
    const { panel } = view;
    const key = panel === null || panel.attempt === null ? '' : logKeyOf(panel.step, panel.index, panel.attempt);
    if (key !== this.#logKey) [this.#logKey, this.#line] = [key, 0];
    else if (this.#unwatchLog !== null) return;
    this.#unwatchLog?.();
    this.#unwatchLog =
      panel === null || panel.attempt === null
        ? null
        : this.#ports.logs.watch(this.#logId(panel.step, panel.index, panel.attempt), this.#wake);
  }

  #logId(step: string, index: number, attempt: number): string {
    return attemptId(this.#runId, { step, index, attempt });
  }

  /** Whether there are more lines than were sent. Who is too far behind goes on near the end. */
  async #sendLog(): Promise<boolean> {
    const panel = this.#sent?.panel ?? null;
    if (panel === null || panel.attempt === null) return false;
    const id = this.#logId(panel.step, panel.index, panel.attempt);
    const read = await this.#ports.logs.read(id, 1, 0);
    const { total } = read;
    const closed = isClosed(read.closed, panel.kind, panel.state);
    const reset = this.#line === 0 || total - this.#line > streamLimits.logLinesMax;
    const from = reset ? Math.max(1, total - viewLimits.logTailLines + 1) : this.#line + 1;
    if (!reset && total < from && !closed) return false;
    const { lines } = await this.#ports.logs.read(id, from, from + streamLimits.logLinesMax - 1);
    this.#line = lines.at(-1)?.number ?? this.#line;
    const removed = this.#reader.removed(this.#sent?.head.finishedAt ?? null);
    this.#write('log', { key: this.#logKey, reset, lines: lines.map(cutLine), total, closed, removed });
    return this.#line < total;
  }

  #write(event: string, data: unknown, position = this.#sent?.position ?? 0): void {
    if (this.#stopped || this.#response.destroyed) return;
    this.#response.write(
      `event: ${event}\nid: ${position}/${this.#logKey}/${this.#line}\ndata: ${JSON.stringify(data)}\n\n`,
    );
  }
}
