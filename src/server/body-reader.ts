/**
 * Bodies that wait in memory until they are whole, from senders who have proved nothing yet. Only so many may be large, and
 * where one more grows large, the slowest of them gives way: whoever declares much, or sends a little now and then, keeps
 * nobody out.
 */
import type { Readable } from 'node:stream';

/** Most deliveries have some tens of kilobytes. */
const largeBytes = 1024 * 1024;
const largeMax = 4;

/** Its body was the slowest of too many large ones: `statusCode` 503; or larger than may be: 413. */
export class BodyRefused extends Error {
  readonly statusCode: 503 | 413;

  constructor(statusCode: 503 | 413, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

interface Reading {
  readonly begun: number;
  bytes: number;
  readonly refuse: (refusal: BodyRefused) => void;
}

export class BodyReader {
  readonly #bytesMax: number;
  readonly #large = new Set<Reading>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The whole body; throws `BodyRefused`, and what the connection throws. */
  async read(payload: Readable): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const reading: Reading = { begun: performance.now(), bytes: 0, refuse: reject };
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      reading.bytes += chunk.length;
      if (reading.bytes > this.#bytesMax) reject(new BodyRefused(413, `a body has ${this.#bytesMax} bytes at most`));
      else if (reading.bytes > largeBytes) this.#grown(reading);
    };
    payload.on('data', take).once('end', () => resolve(Buffer.concat(chunks)));
    payload.once('error', reject);
    try {
      return await promise;
    } finally {
      this.#large.delete(reading);
      payload.off('data', take);
    }
  }

  #grown(reading: Reading): void {
    this.#large.add(reading);
    if (this.#large.size <= largeMax) return;
    const now = performance.now();
    const speed = ({ bytes, begun }: Reading): number => bytes / (now - begun + 1);
    const slowest = [...this.#large].reduce((one, other) => (speed(other) < speed(one) ? other : one));
    this.#large.delete(slowest);
    slowest.refuse(new BodyRefused(503, `${largeMax} large deliveries are being read`));
  }
}
