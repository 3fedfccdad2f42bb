/** Each repository of docs/examples can be copied, and does on one machine what its page shows. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../support/postgres.ts';
import { docs, examplesOf, missingLines, pageOf } from './blocks.ts';
import { createReader } from './reader.ts';

const folder = join(docs, 'examples');

for (const name of readdirSync(folder)) {
  test(`${name} does what its page shows, in a copy of it`, async (t) => {
    const reader = createReader();
    t.after(() => reader.leave());
    cpSync(join(folder, name), reader.folder, { recursive: true });
    // Of what stands for the world outside; whoever reads the page has the port for himself.
    const port = await freePort();
    const here = (text: string): string => text.replaceAll('9000', String(port));
    const settings = join(reader.folder, 'contender.yaml');
    writeFileSync(settings, here(readFileSync(settings, 'utf8')));

    const examples = examplesOf(pageOf(`examples/${name}/README.md`));
    assert.ok(examples.length > 0);
    for (const { line, commands, shown } of examples) {
      const output = await reader.type(here(commands));
      assert.deepEqual(missingLines(shown ?? '', output), [], `line ${line}:\n${output}`);
    }
  });

  test(`the data of ${name} are what its script writes`, async () => {
    const data = join(folder, name, 'data');
    const script = readdirSync(data).find((file) => file.endsWith('.mts')) ?? '';
    const table = readdirSync(data).find((file) => file.endsWith('.csv')) ?? '';
    const { stdout } = await promisify(execFile)(process.execPath, [join(data, script)]);
    assert.equal(stdout, readFileSync(join(data, table), 'utf8'));
  });
}
