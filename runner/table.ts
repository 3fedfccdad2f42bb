/**
 * Data files as rows, a batch at a time, so that a file of any size takes bounded memory: CSV and TSV, JSON Lines (both
 * also with .gz behind), and Parquet, of which one row group of the columns that are needed is held.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parse } from 'csv-parse';
import { createLineSplitter } from '../src/outputs/log-lines.ts';
import { messageOfError } from '../src/std/error-message.ts';

/** Cells in the order of `columns`; a JSON line may add columns, and then earlier rows are shorter. */
export interface Batch {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** The file, not the code that reads it, is what is wrong; the sentence says where. */
export class TableError extends Error {}

const batchRows = 1000;
const jsonLineBytesMax = 16 * 1024 * 1024;

/** The endings that are read. */
export const tableEndings = [
  '.csv',
  '.tsv',
  '.jsonl',
  '.ndjson',
  '.csv.gz',
  '.tsv.gz',
  '.jsonl.gz',
  '.ndjson.gz',
  '.parquet',
];

export function isTable(name: string): boolean {
  return tableEndings.some((ending) => name.toLowerCase().endsWith(ending));
}

/**
 * The rows of the file at `path`; what it is says the ending of `name`. `columns` null: all of them. At least one batch
 * comes, with the columns, also where there are no rows. Throws TableError.
 */
export async function* readTable(path: string, name: string, columns: readonly string[] | null): AsyncGenerator<Batch> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new TableError(`there is no file ${name}`);
  if (!found.isFile()) throw new TableError(`${name} is not a regular file`);
  const lower = name.toLowerCase();
  const plain = lower.replace(/\.gz$/, '');
  try {
    if (plain.endsWith('.parquet')) yield* readParquet(path, columns);
    else if (plain.endsWith('.csv')) yield* readDelimited(openStream(path, lower), ',');
    else if (plain.endsWith('.tsv')) yield* readDelimited(openStream(path, lower), '\t');
    else yield* readJsonLines(openStream(path, lower));
  } catch (error) {
    if (error instanceof TableError) throw error;
    throw new TableError(`${name} cannot be read: ${messageOfError(error)}`);
  }
}

function openStream(path: string, lowerName: string): NodeJS.ReadableStream {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  // An error of the file reaches whoever reads what is unpacked.
  return lowerName.endsWith('.gz') ? pipeline(file, createGunzip(), () => {}) : file;
}

async function* readDelimited(source: NodeJS.ReadableStream, delimiter: string): AsyncGenerator<Batch> {
  const parser = pipeline(
    source,
    parse({ bom: true, delimiter, skip_empty_lines: true, max_record_size: jsonLineBytesMax }),
    () => {},
  );
  let columns: string[] | null = null;
  let rows: unknown[][] = [];
  for await (const record of parser as AsyncIterable<string[]>) {
    if (columns === null) {
      columns = record.map((name) => name.trim());
      continue;
    }
    rows.push(record);
    if (rows.length < batchRows) continue;
    yield { columns, rows };
    rows = [];
  }
  if (columns === null) throw new TableError('the file is empty: its first line has to name the columns');
  yield { columns, rows };
}

async function* readJsonLines(source: NodeJS.ReadableStream): AsyncGenerator<Batch> {
  const places = new Map<string, number>();
  let lines: string[] = [];
  let number = 0;
  const splitter = createLineSplitter(jsonLineBytesMax, (line) => lines.push(line));
  const take = (): Batch => {
    const rows = lines.flatMap((line) => {
      number += 1;
      return line.trim() === '' ? [] : [cellsOf(line, number, places)];
    });
    lines = [];
    return { columns: [...places.keys()], rows };
  };
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    splitter.push(chunk);
    if (lines.length > 0) yield take();
  }
  splitter.end();
  yield take();
}

function cellsOf(line: string, number: number, places: Map<string, number>): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new TableError(`line ${number} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TableError(`line ${number} is not a JSON object`);
  }
  const cells: unknown[] = [];
  for (const [name, cell] of Object.entries(value)) {
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    cells[place] = cell;
  }
  return cells;
}

async function* readParquet(path: string, wanted: readonly string[] | null): AsyncGenerator<Batch> {
  const { parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet');
  const { asyncBufferFromFile } = await import('hyparquet/src/node.js');
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const all = parquetSchema(metadata).children.map((child) => child.element.name);
  const columns = wanted === null ? all : all.filter((name) => wanted.includes(name));
  yield { columns: all, rows: [] };
  const compressors = {
    GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
    ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
    BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
  };
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    if (columns.length === 0) yield { columns, rows: Array.from({ length: end - start }, () => []) };
    else {
      let rows: unknown[][] = [];
      const onComplete = (read: unknown[][]): void => void (rows = read);
      await parquetRead({
        file,
        metadata,
        columns,
        rowStart: start,
        rowEnd: end,
        compressors,
        rowFormat: 'array',
        onComplete,
      });
      yield { columns, rows };
    }
    start = end;
  }
}
