/**
 * Chunks of a stream become lines, whatever the bytes: a line of a gigabyte is cut at its limit and takes no more
 * memory than that, bytes that are no UTF-8 are replaced, and a carriage return at the end of a line is dropped.
 */

/** What stands at the end of a line that was cut. */
const cutMark = ' … [cut]';

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** Gives the last line where no newline ended it. */
  end(): void;
}

export function createLineSplitter(lineBytesMax: number, take: (line: string, isCut: boolean) => void): LineSplitter {
  const decoder = new TextDecoder('utf-8');
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let cut = false;

  const hold = (part: Uint8Array): void => {
    const room = lineBytesMax - heldBytes;
    if (part.length > room) cut = true;
    if (room <= 0 || part.length === 0) return;
    // A copy: the chunk's memory may be used again by whoever gave it.
    const kept = Uint8Array.from(part.subarray(0, room));
    held.push(kept);
    heldBytes += kept.length;
  };

  const finish = (last: Uint8Array): void => {
    let line: string;
    if (heldBytes === 0 && last.length <= lineBytesMax) line = decoder.decode(last);
    else {
      hold(last);
      line = decoder.decode(cut ? wholeCharacters(Buffer.concat(held)) : Buffer.concat(held));
    }
    if (line.endsWith('\r')) line = line.slice(0, -1);
    take(cut ? line + cutMark : line, cut);
    held = [];
    heldBytes = 0;
    cut = false;
  };

  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        finish(chunk.subarray(from, at));
        from = at + 1;
      }
      if (from < chunk.length) hold(chunk.subarray(from));
    },
    end() {
      if (heldBytes > 0) finish(new Uint8Array(0));
    },
  };
}

/** A line as a splitter with this limit gives it. */
export function cutLine(line: string, lineBytesMax: number): string {
  // No character of a string has more than three bytes.
  if (line.length * 3 <= lineBytesMax) return line;
  const bytes = Buffer.from(line);
  if (bytes.length <= lineBytesMax) return line;
  return Buffer.from(wholeCharacters(bytes.subarray(0, lineBytesMax))).toString() + cutMark;
}

/** Without the beginning of a character whose end was cut away. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let start = bytes.length;
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > back) start = bytes.length - back;
    break;
  }
  return bytes.subarray(0, start);
}
