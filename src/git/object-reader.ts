/**
 * Objects by id or ref, from one `git cat-file --batch-command` that is kept running: a question costs two system calls
 * instead of a process. Questions are answered in the order asked. When the process dies the questions still open are
 * put once more to a new one; the one that was being answered twice at a death is given up (a corrupt object does that).
 * An idle process keeps nothing alive: it ends when its input closes, with us.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { failure, success, type Result } from '../std/result.ts';
import { endProcessGroup } from './command.ts';
import { constantConfiguration, localEnvironment } from './environment.ts';
import { scrub } from './errors.ts';
import type { GitError } from './git.ts';
import { gitLimits } from './limits.ts';

export interface ObjectHeader {
  readonly id: string;
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly bytes: number;
}

/** The mirror's own objects are broken or incomplete: fetching them anew may help. */
export interface CorruptError {
  readonly kind: 'corrupt';
  readonly message: string;
}

export type ReadError = GitError | CorruptError;

/**
 * Opens a place for the bytes of one object, again from the start where the process died in between. A promise holds the
 * next bytes back until it is settled.
 */
export type ByteSink = (header: ObjectHeader) => (chunk: Buffer) => Promise<void> | void;

export interface ObjectReader {
  /** Kind and size, or null where there is no such object. `name` is an id or a full ref, checked by the caller. */
  info(name: string): Promise<Result<ObjectHeader | null, ReadError>>;
  /** Header and contents; `refused` beyond `bytesMax`. */
  contents(name: string, bytesMax: number): Promise<Result<FoundObject | null, ReadError>>;
  /** As `contents`, piece by piece; a sink that throws rejects this promise. */
  stream(name: string, sink: ByteSink): Promise<Result<ObjectHeader | null, ReadError>>;
  /** Goes on with a new process; questions still open are put to it. */
  renew(): void;
  close(): Promise<void>;
}

export interface FoundObject extends ObjectHeader {
  readonly data: Buffer;
}

interface Question {
  readonly line: string;
  /** Null where the header is enough. */
  readonly sink: ByteSink | null;
  deaths: number;
  settle(answer: Result<ObjectHeader | null, ReadError>): void;
  fail(error: unknown): void;
}

export function openObjectReader(directory: string): ObjectReader {
  const open: Question[] = [];
  let child: ChildProcessWithoutNullStreams | null = null;
  let watch: NodeJS.Timeout | null = null;
  let closed = false;
  /** Processes that were ended on purpose: nobody's question killed them. */
  const retired = new WeakSet<ChildProcessWithoutNullStreams>();

  const ask = (name: string, sink: ByteSink | null): Promise<Result<ObjectHeader | null, ReadError>> => {
    if (closed) return Promise.resolve(failure(closedError));
    // A line break would be a second question, and every answer after it another one's.
    if (/\s|\0/.test(name)) throw new Error(`${JSON.stringify(name)} was let through to the object reader`);
    const { promise, resolve, reject } = Promise.withResolvers<Result<ObjectHeader | null, ReadError>>();
    const line = `${sink === null ? 'info' : 'contents'} ${name}\n`;
    open.push({ line, sink, deaths: 0, settle: resolve, fail: reject });
    watch ??= setTimeout(() => endProcessGroup(child?.pid), gitLimits.commandTimeMs);
    if (child === null) start();
    else child.stdin.write(line);
    return promise;
  };

  const progress = (): void => {
    if (open.length > 0) return void watch?.refresh();
    if (watch !== null) clearTimeout(watch);
    watch = null;
  };

  const start = (): void => {
    const started = startBatch(directory);
    child = started;
    for (const question of open) started.stdin.write(question.line);
    void serve(started);
  };

  const serve = async (started: ChildProcessWithoutNullStreams): Promise<void> => {
    const reason = await answerAll(started, open, progress);
    endProcessGroup(started.pid);
    if (child === started) child = null;
    const head = open[0];
    if (head !== undefined && !retired.has(started)) head.deaths += 1;
    if (closed) for (const question of open.splice(0)) question.settle(failure(closedError));
    else if (head !== undefined && head.deaths > 1) open.shift()?.settle(failure({ kind: 'corrupt', message: reason }));
    progress();
    if (open.length > 0 && child === null) start();
  };

  return {
    info: (name) => ask(name, null),
    stream: (name, sink) => ask(name, sink),
    contents: (name, bytesMax) => wholeObject(ask, name, bytesMax),
    renew() {
      if (child === null) return;
      retired.add(child);
      endProcessGroup(child.pid);
    },
    async close() {
      closed = true;
      const ending = child;
      if (ending === null || ending.exitCode !== null || ending.pid === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      ending.ref();
      ending.once('exit', () => resolve());
      endProcessGroup(ending.pid);
      await promise;
    },
  };
}

const closedError: GitError = { kind: 'refused', message: 'the mirror is closed' };

async function wholeObject(
  ask: (name: string, sink: ByteSink) => Promise<Result<ObjectHeader | null, ReadError>>,
  name: string,
  bytesMax: number,
): Promise<Result<FoundObject | null, ReadError>> {
  let chunks: Buffer[] = [];
  const header = await ask(name, ({ bytes }) => {
    chunks = [];
    return (chunk) => void (bytes <= bytesMax && chunks.push(chunk));
  });
  if (!header.ok) return header;
  if (header.value === null) return success(null);
  if (header.value.bytes <= bytesMax) return success({ ...header.value, data: Buffer.concat(chunks) });
  const message = `an object of ${header.value.bytes} bytes is larger than the ${bytesMax} that are read`;
  return failure({ kind: 'refused', message });
}

function startBatch(directory: string): ChildProcessWithoutNullStreams {
  const configuration = constantConfiguration.flatMap((setting) => ['-c', setting]);
  const argv = [...configuration, `--git-dir=${directory}`, 'cat-file', '--batch-command'];
  const child = spawn('git', argv, { env: { ...localEnvironment() }, detached: true, stdio: 'pipe' });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  // Nothing of an idle reader may keep the program from ending; while a question is open its timer does that.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as Socket).unref();
  return child;
}

/** Answers questions from the front until the process ends; resolves with what it said last. Never rejects. */
async function answerAll(
  child: ChildProcessWithoutNullStreams,
  open: Question[],
  progress: () => void,
): Promise<string> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4096);
  });
  const bytes = byteSource(child, progress);
  try {
    for (;;) {
      const line = await bytes.line();
      const question = open[0];
      if (line === null) break;
      if (question === undefined) return 'git cat-file answered without a question';
      const header = parseHeader(line);
      if (header !== null && question.sink !== null) await pass(bytes, question, question.sink, header);
      open.shift();
      question.settle(success(header));
      progress();
    }
  } catch (error) {
    said ||= error instanceof Error ? error.message : 'broken output';
  } finally {
    bytes.end();
  }
  return scrub(said) || 'git cat-file ended';
}

/** Hands the bytes of one object to its question. A sink that throws fails its question alone; the rest is passed over. */
async function pass(bytes: ByteSource, question: Question, sink: ByteSink, header: ObjectHeader): Promise<void> {
  let write: ((chunk: Buffer) => Promise<void> | void) | null = sink(header);
  await bytes.exactly(header.bytes, async (chunk) => {
    try {
      await write?.(chunk);
    } catch (error) {
      write = null;
      question.fail(error);
    }
  });
  await bytes.exactly(1, () => undefined);
}

function parseHeader(line: string): ObjectHeader | null {
  const [id = '', type = '', bytes = ''] = line.split(' ');
  if (type !== 'commit' && type !== 'tree' && type !== 'blob' && type !== 'tag') return null;
  if (!/^\d+$/.test(bytes)) throw new Error(`git cat-file answered ${JSON.stringify(line)}`);
  return { id, type, bytes: Number(bytes) };
}

interface ByteSource {
  /** The next line without its end, or null at the end of the output. */
  line(): Promise<string | null>;
  exactly(count: number, take: (chunk: Buffer) => Promise<void> | void): Promise<void>;
  end(): void;
}

/** Standard output by need. */
function byteSource(child: ChildProcessWithoutNullStreams, progress: () => void): ByteSource {
  const chunks = child.stdout.iterator({ destroyOnReturn: true });
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next: IteratorResult<Buffer, unknown> = await chunks.next();
    if (next.done === true) return false;
    progress();
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    return true;
  };
  return {
    async line() {
      for (;;) {
        const end = rest.indexOf(10);
        if (end >= 0) {
          const line = rest.toString('utf8', 0, end);
          rest = rest.subarray(end + 1);
          return line;
        }
        if (rest.length > gitLimits.pathBytesMax || !(await more())) return null;
      }
    },
    async exactly(count, take) {
      let missing = count;
      while (missing > 0) {
        if (rest.length === 0 && !(await more())) throw new Error('git cat-file ended within an object');
        const chunk = rest.subarray(0, missing);
        rest = rest.subarray(chunk.length);
        missing -= chunk.length;
        await take(chunk);
      }
    },
    end: () => void child.stdout.destroy(),
  };
}
