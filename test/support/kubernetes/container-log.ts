/**
 * What one container wrote, as a container runtime keeps it: standard output and standard error apart, each in lines, a line
 * in pieces of 16 KiB at most, each piece with the time at which it was read. Reading follows the kubelet: the time of a line
 * is that of its first piece, a last line without its end stays without it, and `sinceTime` is exact to the second alone.
 * Where the node begins the file anew, who reads gets the new one alone; who follows goes over to it, save who had never come to
 * the end of the file before: that one stays there.
 */
import type { Readable } from 'node:stream';

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly sinceMilliseconds: number | null;
  readonly tailLines: number | null;
  readonly limitBytes: number | null;
}

export interface ContainerLog {
  /** Of the standard output, or of the standard error. */
  take(stream: Readable): void;
  end(): void;
  /** The node begins its file anew. */
  rotate(): void;
  /** Following, it ends with the log, or when nobody listens any more. */
  read(options: LogOptions, closed: AbortSignal): AsyncGenerator<Buffer>;
  /** The last bytes of it, without times. */
  tail(bytesMax: number): string;
}

const pieceBytesMax = 16 * 1024;
const batchBytes = 64 * 1024;
const [newline, carriageReturn] = [0x0a, 0x0d];

const startedAt = { milliseconds: Date.now(), nanoseconds: process.hrtime.bigint() };

const nanosecondsNow = (): number => Number(process.hrtime.bigint() - startedAt.nanoseconds);
const millisecondsOf = (nanoseconds: number): number => startedAt.milliseconds + Math.floor(nanoseconds / 1e6);

/** RFC 3339 with nine places. */
function timeOf(nanoseconds: number): string {
  const time = new Date(millisecondsOf(nanoseconds)).toISOString();
  return `${time.slice(0, -1)}${String(nanoseconds % 1e6).padStart(6, '0')}Z`;
}

export function createContainerLog(): ContainerLog {
  // Each byte a character, which takes far less memory than as many small buffers.
  const pieces: string[] = [];
  const times: number[] = [];
  /** Where each file begins. */
  const files = [0];
  let ended = false;
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  const keep = (bytes: Buffer): void => {
    pieces.push(bytes.toString('latin1'));
    times.push(nanosecondsNow());
    tell();
  };

  async function* read(options: LogOptions, closed: AbortSignal): AsyncGenerator<Buffer> {
    closed.addEventListener('abort', tell);
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
    let file = files.length - 1;
    let isSettled = false;
    const first = files[file] ?? 0;
    let index = options.tailLines === null ? first : Math.max(first, pieces.length - options.tailLines);
    const since = Math.floor((options.sinceMilliseconds ?? 0) / 1000) * 1000;
    for (let begins = true; left > 0;) {
      let batch = '';
      const end = files[file + 1] ?? pieces.length;
      for (; index < end && batch.length < batchBytes; index += 1) {
        const [piece = '', time = 0] = [pieces[index], times[index]];
        if (millisecondsOf(time) < since) continue;
        batch += options.timestamps && begins ? `${timeOf(time)} ${piece}` : piece;
        begins = piece.endsWith('\n');
      }
      const bytes = Buffer.from(batch, 'latin1').subarray(0, left);
      left -= bytes.length;
      if (bytes.length > 0) yield bytes;
      else if (index === end && isSettled && file + 1 < files.length) file += 1;
      else if (ended || closed.aborted || !options.follow) return;
      else {
        isSettled ||= file === files.length - 1;
        await news.promise;
      }
    }
  }

  return {
    take: (stream) => takePieces(stream, keep),
    end() {
      ended = true;
      tell();
    },
    rotate() {
      files.push(pieces.length);
      tell();
    },
    read,
    tail: (bytesMax) => Buffer.from(pieces.slice(-80).join('').slice(-bytesMax), 'latin1').toString('utf8'),
  };
}

/** The runtime takes the end of a line as Windows writes it for the end of a line. */
function withoutReturn(line: Buffer): Buffer {
  const isWindows = line.at(-1) === newline && line.at(-2) === carriageReturn;
  return isWindows ? Buffer.concat([line.subarray(0, -2), line.subarray(-1)]) : line;
}

function takePieces(stream: Readable, keep: (bytes: Buffer) => void): void {
  let begun = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    let rest = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    for (;;) {
      const end = rest.subarray(0, pieceBytesMax).indexOf(newline) + 1;
      if (end === 0 && rest.length < pieceBytesMax) break;
      const length = end === 0 ? pieceBytesMax : end;
      keep(withoutReturn(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    begun = Buffer.from(rest);
  });
  stream.on('end', () => {
    if (begun.length > 0) keep(begun);
  });
}
