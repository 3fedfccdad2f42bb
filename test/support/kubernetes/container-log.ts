/**
 * What one container wrote, as a container runtime keeps it: standard output and standard error apart, each in lines, a line
 * in pieces of 16 KiB at most, each piece with the time at which it was read. Reading follows the kubelet: the time of a line
 * is that of its first piece, a last line without its end stays without it, and `sinceTime` is exact to the second alone.
 */
import type { Readable } from 'node:stream';

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly sinceMilliseconds: number | null;
  readonly tailLines: number | null;
  readonly limitBytes: number | null;
}

interface Piece {
  readonly time: string;
  readonly milliseconds: number;
  readonly bytes: Buffer;
}

export interface ContainerLog {
  /** Of the standard output, or of the standard error. */
  take(stream: Readable): void;
  end(): void;
  /** Following, it ends with the log, or when nobody listens any more. */
  read(options: LogOptions, closed: Promise<unknown>): AsyncGenerator<Buffer>;
  /** The last bytes of it, without times. */
  tail(bytesMax: number): string;
}

const pieceBytesMax = 16 * 1024;
const [newline, carriageReturn] = [0x0a, 0x0d];

const startedAt = { milliseconds: Date.now(), nanoseconds: process.hrtime.bigint() };

/** RFC 3339 with nine places, rising. */
function nanosecondsNow(): { readonly time: string; readonly milliseconds: number } {
  const total = BigInt(startedAt.milliseconds) * 1_000_000n + process.hrtime.bigint() - startedAt.nanoseconds;
  const milliseconds = Number(total / 1_000_000n);
  const fraction = String(total % 1_000_000_000n).padStart(9, '0');
  return { time: `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction}Z`, milliseconds };
}

export function createContainerLog(): ContainerLog {
  const pieces: Piece[] = [];
  let ended = false;
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  const keep = (bytes: Buffer): void => {
    // A copy: what is kept of a line must not keep the whole of what was read at once.
    pieces.push({ ...nanosecondsNow(), bytes: Buffer.from(bytes) });
    tell();
  };
  const whole = (piece: Piece | undefined): boolean => piece === undefined || piece.bytes.at(-1) === newline;

  async function* read(options: LogOptions, closed: Promise<unknown>): AsyncGenerator<Buffer> {
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
    let index = options.tailLines === null ? 0 : Math.max(0, pieces.length - options.tailLines);
    const since = Math.floor((options.sinceMilliseconds ?? 0) / 1000) * 1000;
    for (let first = true; ;) {
      const piece = pieces[index];
      if (piece === undefined) {
        if (ended || isClosed || !options.follow) return;
        await Promise.race([news.promise, closed]);
        continue;
      }
      index += 1;
      if (piece.milliseconds < since) continue;
      const begins = first || whole(pieces[index - 2]);
      first = false;
      const time = options.timestamps && begins ? [Buffer.from(`${piece.time} `)] : [];
      const bytes = Buffer.concat([...time, piece.bytes]).subarray(0, left);
      yield bytes;
      left -= bytes.length;
      if (left === 0) return;
    }
  }

  return {
    take: (stream) => takePieces(stream, keep),
    end() {
      ended = true;
      tell();
    },
    read,
    tail: (bytesMax) => {
      const bytes = Buffer.concat(pieces.slice(-80).map((piece) => piece.bytes));
      return bytes.subarray(Math.max(0, bytes.length - bytesMax)).toString('utf8');
    },
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
