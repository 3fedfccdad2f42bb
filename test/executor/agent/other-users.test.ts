/** What a container of another user than its helper's leaves, and does not open to it. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { sendCheckpoint } from '../../../src/executor/agent/checkpoint.ts';
import type { Link } from '../../../src/executor/agent/link.ts';
import { readCommandOutputs } from '../../../src/executor/local/outputs.ts';
import { createDirectoryArtifactStore } from '../../../src/outputs/directory.ts';

const nobody = 65_534;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'other-users-'));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

/** Root can read what is closed to all. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function closedFile(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, 0);
  return path;
}

test('outputs and artifacts that are closed to others are refused with what to do', async () => {
  const artifacts = createDirectoryArtifactStore({ directory: join(folder, 'store') });
  const from = { declared: {}, file: await closedFile('outputs.json', '{"rows":2}'), lastLine: null, folders: [] };
  await assert.rejects(
    asNobody(() => readCommandOutputs(from, artifacts)),
    {
      failure: 'output',
      message: /^the file \$CONTENDER_OUTPUTS cannot be read: EACCES.*: make it readable for others$/,
    },
  );
  await closedFile('model', 'weights');
  const named = {
    ...from,
    declared: { model: 'artifact' },
    file: join(folder, 'none'),
    lastLine: '{"model":"model"}',
  } as const;
  await assert.rejects(
    asNobody(() => readCommandOutputs({ ...named, folders: [folder] }, artifacts)),
    { failure: 'output', message: /^the output "model" names model, which cannot be kept: EACCES.*: make it readable/ },
  );
});

test('a checkpoint of which a part is closed to others is not kept, and it is told', async () => {
  const said: string[] = [];
  const link: Pick<Link, 'ask'> = { ask: () => assert.fail('it was sent') };
  const ports = { link: link as Link, say: async (text: string) => void said.push(text) };
  await mkdir(join(folder, 'closed'));
  await chmod(join(folder, 'closed'), 0);
  await asNobody(() => sendCheckpoint(folder, ports));
  await rmdir(join(folder, 'closed'));
  await closedFile('weights', 'half');
  await asNobody(() => sendCheckpoint(folder, ports));
  assert.equal(said.length, 2);
  for (const text of said)
    assert.match(text, /^Its checkpoint could not be kept for the next try: EACCES.*: make it readable for others$/);
});
