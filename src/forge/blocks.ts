/**
 * Markdown as blocks, so that a text can be cut where it stays whole: a table after a row, a list after an entry, a code
 * block after a line with its fence closed. The inline text inside is already encoded (`escape.ts`).
 */
import { cutBytes, fenced, utf8Bytes } from './escape.ts';
import { unreachable } from '../std/unreachable.ts';

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly header: readonly string[];
      readonly align: readonly ('left' | 'right')[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** A list that is shown when somebody asks for it. */
  | { readonly kind: 'details'; readonly summary: string; readonly items: readonly string[] }
  /** Lines without fences. */
  | { readonly kind: 'code'; readonly lines: readonly string[] };

export function text(content: string): Block {
  return { kind: 'text', text: content };
}

function renderBlocks(blocks: readonly Block[]): string {
  return blocks.map(renderBlock).join('\n\n');
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'details':
      return `<details><summary>${block.summary}</summary>\n\n${block.items.map((item) => `- ${item}`).join('\n')}\n\n</details>`;
    case 'code':
      return fenced(block.lines).join('\n');
    case 'table': {
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      return [
        line(block.header),
        line(block.align.map((side) => (side === 'right' ? '--:' : ':--'))),
        ...block.rows.map(line),
      ].join('\n');
    }
    default:
      return unreachable(block);
  }
}

/**
 * All of `blocks` and then `tail` where that fits into `bytesMax` (inclusive); else as many as fit, the last one cut,
 * then `notice` and `tail`, which always stand there whole.
 */
export function fitBlocks(blocks: readonly Block[], tail: readonly Block[], notice: Block, bytesMax: number): string {
  const whole = renderBlocks([...blocks, ...tail]);
  if (utf8Bytes(whole) <= bytesMax) return whole;
  const end = renderBlocks([notice, ...tail]);
  let left = bytesMax - utf8Bytes(end);
  const kept: string[] = [];
  for (const block of blocks) {
    const rendered = renderBlock(block);
    const bytes = utf8Bytes(rendered) + 2;
    if (bytes > left) {
      const part = cutBlock(block, left - 2);
      if (part !== null) kept.push(renderBlock(part));
      break;
    }
    kept.push(rendered);
    left -= bytes;
  }
  return [...kept, end].join('\n\n');
}

/** The part of `block` that fits, or null where none is worth showing. */
function cutBlock(block: Block, bytesMax: number): Block | null {
  switch (block.kind) {
    case 'text':
      return null;
    case 'table': {
      const rows = mostThatFit(block.rows, (part) => renderBlock({ ...block, rows: part }), bytesMax);
      return rows.length === 0 ? null : { ...block, rows };
    }
    case 'list':
    case 'details': {
      const items = mostThatFit(block.items, (part) => renderBlock({ ...block, items: part }), bytesMax);
      return items.length === 0 ? null : { ...block, items };
    }
    case 'code': {
      // Measured with the fence of the whole block: the part's is never longer.
      const frame = utf8Bytes(fenced(block.lines)[0] ?? '') * 2 + 4;
      const inner = cutBytes(block.lines.join('\n'), bytesMax - frame);
      return inner === '' ? null : { kind: 'code', lines: inner.split('\n') };
    }
    default:
      return unreachable(block);
  }
}

/** The longest beginning of `parts` whose rendering fits, found by halving. */
function mostThatFit<T>(parts: readonly T[], render: (part: readonly T[]) => string, bytesMax: number): readonly T[] {
  let fits = 0;
  let tooMany = parts.length;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (utf8Bytes(render(parts.slice(0, middle))) <= bytesMax) fits = middle;
    else tooMany = middle;
  }
  return parts.slice(0, fits);
}
