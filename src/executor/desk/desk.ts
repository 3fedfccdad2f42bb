/**
 * The server's side of agents: which attempts and looks are carried out elsewhere now, what their agents are given, and
 * what they bring. An executor opens one when it places it and closes it when nothing of it counts any more; the routes
 * ask here for each request. Nothing here knows where an agent runs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { AttemptOutcome, LookOutcome } from '../../engine/event.ts';
import { createMask, type Mask } from '../../outputs/mask.ts';
import type { ArtifactStreams, LogStore, LogWriter } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import {
  agentLimits,
  type AgentResult,
  type AgentTask,
  type Alive,
  type Begin,
  type Begun,
  type Collected,
  type Ended,
  type LogKept,
  type LogPart,
  type Note,
} from '../agent/contract.ts';
import type { ExecutorPorts, ReportSink } from '../executor.ts';
import type { AttemptFiles, Bytes } from './attempt-files.ts';
import type { Tokens } from './tokens.ts';

/** Who placed it hears of its agent. */
export interface DeskListener {
  /** Before the agent hears that it may begin. False: it is to end, and has not begun. */
  begin(agent: string, linesBefore: number, place: string | null): boolean;
  /** Before the agent hears that it is kept. Once. */
  result(result: AgentResult): void;
  /** Of a helper: resolves when the container beside it has ended, at once where it has. */
  ended(): Promise<void>;
  /** Of a helper, when the container beside it has ended: resolves when all that it printed is known. */
  collect(): Promise<Collected>;
}

export interface DeskEntry {
  readonly id: string;
  /** The key of its log. */
  readonly log: string;
  readonly task: AgentTask;
  /** Which agent has begun it, and how many lines the log had then; null: none yet. */
  readonly begun: { readonly agent: string; readonly linesBefore: number } | null;
  readonly listener: DeskListener;
}

export interface DeskPorts extends Pick<ExecutorPorts, 'sourceTree' | 'secret'> {
  readonly artifacts: ArtifactStreams;
  readonly logs: LogStore;
  readonly files: Pick<AttemptFiles, 'read' | 'write' | 'openCheckpoint' | 'keepCheckpoint'>;
  readonly tokens: Tokens;
  readonly clock: Clock;
  /** Before a question that waits for something is answered with "not yet". */
  readonly waitMs?: number;
  /** What an agent brings whose attempt no longer counts. */
  readonly late: (id: string, result: AgentResult) => void;
}

/** Late ends of attempts are reported like others: the engine records them, and they change nothing. */
export function lateReports(report: ReportSink, clock: Clock): DeskPorts['late'] {
  return (attemptId, result) => {
    if (result.type !== 'attempt') return;
    report({ type: 'finished', attemptId, at: clock.now(), outcome: result.outcome, usage: result.usage });
  };
}

/** `over`: it is not, or no longer, carried out. `wait`: that is not known yet. */
export type Refusal = 'unauthorized' | 'over' | 'wait';

export class Desk {
  readonly #ports: DeskPorts;
  readonly #open = new Map<string, Sitting>();
  #knowsAll = false;
  #closed = false;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  /** Gives the token that its agent is started with. */
  open(entry: DeskEntry): string {
    this.#open.set(entry.id, new Sitting(entry, this.#ports));
    return this.#ports.tokens.make({ id: entry.id, agent: null });
  }

  /** Its agent is to end what it carries out, and to say how that ended. A shorter grace counts. */
  stop(id: string, graceMs: number): void {
    this.#open.get(id)?.stop(graceMs);
  }

  /** What its agent told an earlier server. */
  toldBefore(id: string, result: AgentResult): void {
    this.#open.get(id)?.toldBefore(result);
  }

  /** Nothing that is said of it counts any more. */
  async shut(id: string): Promise<void> {
    const sitting = this.#open.get(id);
    this.#open.delete(id);
    await sitting?.end();
  }

  /** What is not open now is over; before, it may belong to a server that is not here any more. */
  knowsAll(): void {
    this.#knowsAll = true;
  }

  /** Since when its agent has said nothing, or was waited for in vain, in milliseconds since the epoch; null: it is not open. */
  heardAt(id: string): number | null {
    return this.#open.get(id)?.heardAt ?? null;
  }

  /** A line of its log that its agent cannot write. */
  line(id: string, line: LogPart['lines'][number]): void {
    this.#open.get(id)?.line(line);
  }

  /** Another server may conduct from now on: the agents of attempts ask again until they find it. Looks end here. */
  retire(): void {
    this.#knowsAll = false;
    for (const [id, sitting] of this.#open) {
      if (sitting.isLook) continue;
      this.#open.delete(id);
      sitting.leave();
    }
  }

  /** Looks too. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open.keys()].map((id) => this.shut(id)));
  }

  /** The first word of an agent. */
  begin(token: string, { agent, place }: Begin): Begun | Refusal {
    const meaning = this.#ports.tokens.read(token);
    if (meaning === null || meaning.agent !== null) return 'unauthorized';
    const sitting = this.#sittingOf(meaning.id);
    return sitting instanceof Sitting ? sitting.begin(agent, place) : sitting;
  }

  /** For every other word of it. */
  sitting(token: string): Sitting | Refusal {
    const meaning = this.#ports.tokens.read(token);
    if (meaning === null || meaning.agent === null) return 'unauthorized';
    const sitting = this.#sittingOf(meaning.id);
    return sitting instanceof Sitting && !sitting.isHeldBy(meaning.agent) ? 'over' : sitting;
  }

  /** A result whose attempt is over: it changes nothing, and is told. */
  tooLate(token: string, result: AgentResult): void {
    const meaning = this.#ports.tokens.read(token);
    if (meaning !== null && meaning.agent !== null) this.#ports.late(meaning.id, result);
  }

  #sittingOf(id: string): Sitting | Refusal {
    const sitting = this.#open.get(id);
    if (sitting !== undefined && !this.#closed) return sitting;
    return this.#knowsAll && !this.#closed ? 'over' : 'wait';
  }
}

/** One attempt or look, while it is carried out. */
export class Sitting {
  readonly #entry: DeskEntry;
  readonly #ports: DeskPorts;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #mask: Mask;
  #begun: DeskEntry['begun'];
  #log: LogWriter | null = null;
  #noted: Note | null = null;
  #result: AgentResult | null = null;
  /** Before it was open here nobody could be heard. */
  #heardAt: number;
  #stop: number | null = null;
  /** Until there is news for its agent. */
  #news = Promise.withResolvers<void>();
  /** Nothing is waited for any more. */
  readonly #ending = new AbortController();

  constructor(entry: DeskEntry, ports: DeskPorts) {
    this.#entry = entry;
    this.#ports = ports;
    this.#begun = entry.begun;
    this.#heardAt = ports.clock.now();
    this.#secrets = secretsOf(entry.task.spec.secrets, ports.secret);
    this.#mask = createMask(this.#secrets);
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  get isLook(): boolean {
    return this.#entry.task.type === 'look';
  }

  isHeldBy(agent: string): boolean {
    return this.#begun?.agent === agent;
  }

  begin(agent: string, place: string | null): Begun | Refusal {
    const { id, log, task, listener } = this.#entry;
    if (this.#begun === null) {
      const linesBefore = this.#ports.logs.size(log);
      if (!listener.begin(agent, linesBefore, place)) return 'over';
      this.#begun = { agent, linesBefore };
    }
    // Two pods of one attempt: one of them carries it out.
    if (!this.isHeldBy(agent)) return 'over';
    this.hear();
    return { task, secrets: Object.fromEntries(this.#secrets), token: this.#ports.tokens.make({ id, agent }) };
  }

  hear(): void {
    this.#heardAt = this.#ports.clock.now();
  }

  stop(graceMs: number): void {
    this.#stop = Math.min(this.#stop ?? graceMs, graceMs);
    this.#tellNews();
  }

  /** Whether it is to end, when that is not what the agent knows, or after a while. */
  async alive(known: number | null): Promise<Alive> {
    if (this.#stop === known) await this.#within(this.#news.promise);
    return { stop: this.#stop };
  }

  /** A folder with the files of the commit. */
  source(): Promise<string> {
    const { repository, sha } = this.#entry.task.spec;
    return this.#ports.sourceTree(repository, sha);
  }

  artifact(sha256: string): ReturnType<ArtifactStreams['openStream']> {
    return this.#ports.artifacts.openStream(sha256);
  }

  keepArtifact(content: AsyncIterable<Uint8Array>, name: string): ReturnType<ArtifactStreams['putStream']> {
    return this.#ports.artifacts.putStream(content, name);
  }

  /** What the try before has left; null: nothing. */
  async checkpoint(): Promise<Bytes | null> {
    const { task } = this.#entry;
    return task.type === 'look' ? null : this.#ports.files.openCheckpoint(task.spec.attemptId);
  }

  async keepCheckpoint(content: AsyncIterable<Uint8Array>): Promise<void> {
    const { task } = this.#entry;
    if (task.type === 'look') throw new Error('a look leaves nothing');
    // As a tar: each file has a head, and is filled up.
    const bytesMax = agentLimits.checkpointBytesMax * 1.1;
    await this.#ports.files.keepCheckpoint(task.spec.attemptId, content, bytesMax);
  }

  /** Lines that are kept already are passed over, and none is left out. Null: not all could be written, and they are to come again. */
  keepLog({ from, lines, closed }: LogPart): LogKept | null {
    const { log } = this.#entry;
    const linesBefore = this.#begun?.linesBefore ?? 0;
    const kept = this.#ports.logs.size(log) - linesBefore;
    if (from > kept + 1) return { total: kept, isFull: false };
    const fresh = lines.slice(kept + 1 - from);
    let copied: ReturnType<LogWriter['copy']> = 'taken';
    for (const line of fresh) {
      copied = this.#writer.copy(this.#masked(line));
      if (copied !== 'taken') break;
    }
    const isFull = copied === 'full';
    const total = this.#ports.logs.size(log) - linesBefore;
    if (!isFull && total < kept + fresh.length) return null;
    return { total, isFull: closed || isFull };
  }

  /** Once, where it comes twice. */
  note(note: Note): void {
    if (isDeepStrictEqual(note, this.#noted)) return;
    this.line({ ...note, stream: 'contender' });
    this.#noted = note;
  }

  line(line: LogPart['lines'][number]): void {
    this.#writer.line(this.#masked(line));
  }

  get #writer(): LogWriter {
    return (this.#log ??= this.#ports.logs.writer(this.#entry.log));
  }

  #masked({ at, stream, text }: LogPart['lines'][number]): LogPart['lines'][number] {
    return { at, stream, text: this.#mask.text(text) };
  }

  /** Whether the container beside the helper has ended, now or in a while. */
  async ended(): Promise<Ended> {
    return { ended: await this.#within(this.#entry.listener.ended()) };
  }

  collect(): Promise<Collected> {
    return this.#entry.listener.collect();
  }

  result(result: AgentResult): void {
    if (this.#result !== null) return;
    const masked = maskedResult(result, this.#mask);
    this.#keepTold(masked);
    this.toldBefore(masked);
  }

  toldBefore(result: AgentResult): void {
    this.#entry.listener.result(result);
    this.#result = result;
  }

  /** A helper ends when it is answered, and what it told may count only later, with another server. */
  #keepTold(told: AgentResult): void {
    const { task } = this.#entry;
    if (task.type === 'look' || task.spec.work.kind !== 'container') return;
    const { files } = this.#ports;
    const kept = files.read(task.spec.attemptId);
    if (kept?.finished === null) files.write(task.spec.attemptId, { ...kept, told });
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#log?.close();
  }

  /** It goes on with another server, which writes its log. */
  leave(): void {
    this.#ending.abort();
    this.#ports.logs.release(this.#entry.log);
  }

  #tellNews(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Whether it happened in the time that a question may take, and before the end. */
  async #within(happened: Promise<void>): Promise<boolean> {
    const patience = new AbortController();
    const { waitMs = agentLimits.waitMs } = this.#ports;
    const signal = AbortSignal.any([patience.signal, this.#ending.signal]);
    const waited = pause(waitMs, false, { signal }).catch(() => false);
    const has = await Promise.race([happened.then(() => true), waited]);
    patience.abort();
    return has;
  }
}

/** Those that are missing are missing in the agent too, which says so. */
function secretsOf(names: readonly string[], valueOf: ExecutorPorts['secret']): ReadonlyMap<string, string> {
  return new Map(
    names.flatMap((name) => {
      const value = valueOf(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

/** Sentences of an outcome go to the forge and the page. The agent masks them too; but it runs beside the user's code. */
function maskedResult(result: AgentResult, mask: Mask): AgentResult {
  return result.type === 'attempt'
    ? { ...result, outcome: masked(result.outcome, mask) }
    : { ...result, outcome: masked(result.outcome, mask) };
}

function masked<Outcome extends AttemptOutcome | LookOutcome>(outcome: Outcome, mask: Mask): Outcome {
  if ('message' in outcome) return { ...outcome, message: mask.text(outcome.message) };
  if ('reason' in outcome) return { ...outcome, reason: mask.text(outcome.reason) };
  return outcome;
}
