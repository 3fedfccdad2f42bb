import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogKept, LogPart } from '../../../src/executor/agent/contract.ts';
import type { Link } from '../../../src/executor/agent/link.ts';
import { createLogShipper } from '../../../src/executor/agent/log-shipper.ts';
import { createDirectoryLogStore } from '../../../src/outputs/directory-logs.ts';

test('what is written after the step has closed its log is brought too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'log-shipper-'));
  try {
    const logs = createDirectoryLogStore({ directory: folder, clock: { now: Date.now } });
    const key = 'run/step.0.1';
    const kept: string[] = [];
    const first = Promise.withResolvers<void>();
    const link: Pick<Link, 'json'> = {
      async json<Answer>(_method: 'POST', _path: string, body: unknown) {
        const { lines, closed } = body as LogPart;
        kept.push(...lines.map(({ text }) => text));
        first.resolve();
        const answer: LogKept = { total: kept.length, isFull: closed };
        return answer as Answer;
      },
    };
    const shipper = createLogShipper(logs, key, link as Link);
    const step = logs.writer(key);
    step.write('contender', 'the step has failed\n');
    await step.close();
    await first.promise;
    const agent = logs.writer(key);
    agent.write('contender', 'its checkpoint is kept\n');
    await agent.close();
    await shipper.finish();
    assert.deepEqual(kept, ['the step has failed', 'its checkpoint is kept']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
