/** Remembers the last line of a stream that is not empty, as far as it may be an output; nothing else is held. */
export interface LastLine {
  push(chunk: Uint8Array): void;
  /** Null where there was none, or it was too long to be an output. */
  text(): string | null;
}

/** Stands for a line that is too long; no JSON begins with it. */
const tooLong = '\0';

export function createLastLine(bytesMax: number): LastLine {
  let tail = '';
  return {
    push(chunk) {
      // Latin-1 keeps each byte, whatever character falls between two chunks.
      tail += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      tail = tail.slice(tail.trimEnd().lastIndexOf('\n') + 1);
      if (tail.length > bytesMax) tail = tail.endsWith('\n') ? `${tooLong}\n` : tooLong;
    },
    text() {
      const line = Buffer.from(tail, 'latin1').toString().trim();
      return line === '' || line.startsWith(tooLong) ? null : line;
    },
  };
}
