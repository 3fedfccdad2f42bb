/** Finds the end mark of an attempt in a stream, also when it arrives in two chunks, and passes on what is before it. */
export interface MarkSplitter {
  push(chunk: Uint8Array): Uint8Array;
  /** The mark was seen; what came after it is dropped. */
  readonly ended: boolean;
  /** What was held back because it might have been the beginning of the mark. */
  rest(): Uint8Array;
}

const nothing = new Uint8Array(0);

/** `mark` begins with a byte that occurs nowhere else in it. */
export function createMarkSplitter(mark: string): MarkSplitter {
  const bytes = Buffer.from(mark);
  const first = bytes[0] ?? 0;
  let held: Buffer = Buffer.alloc(0);
  let ended = false;
  return {
    get ended() {
      return ended;
    },
    push(chunk) {
      if (ended) return nothing;
      const all =
        held.length === 0
          ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
          : Buffer.concat([held, chunk]);
      const at = all.indexOf(bytes);
      if (at !== -1) {
        ended = true;
        held = Buffer.alloc(0);
        return all.subarray(0, at);
      }
      const start = all.lastIndexOf(first);
      const isBeginning = start !== -1 && bytes.subarray(0, all.length - start).equals(all.subarray(start));
      held = isBeginning ? Buffer.from(all.subarray(start)) : Buffer.alloc(0);
      return isBeginning ? all.subarray(0, start) : all;
    },
    rest() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}
