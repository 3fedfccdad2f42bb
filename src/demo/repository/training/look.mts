/** Counts the rows of a file of strikes and finds the newest date. The last line of the output is the step's result. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const path = process.argv[2] ?? 'data/birdstrikes.csv';
let rows = -1;
let newest = '';
for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
  rows += 1;
  const date = /,(\d{4}-\d{2}-\d{2}),/.exec(line)?.[1] ?? '';
  if (date > newest) newest = date;
}
console.log(JSON.stringify({ rows, newest }));
