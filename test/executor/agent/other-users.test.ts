/** What a container of another user than its helper's leaves, and does not open to it. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
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
