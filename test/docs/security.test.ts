/** docs/security.md is right about limits, about who needs what, and about what it warns of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileLimits } from '../../src/compile/compile.ts';
import { forgeLimits } from '../../src/forge/forge.ts';
import { logLimits } from '../../src/outputs/outputs.ts';
import { access } from '../../src/server/access.ts';
import { loginLimits } from '../../src/server/login-limit.ts';
import { serverLimits } from '../../src/server/server.ts';
import { sessionLimits } from '../../src/server/sessions.ts';
import { formatBytes } from '../../src/std/bytes.ts';
import { createProject } from '../cli/sandbox.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('security.md');

test('the limits of docs/security.md are those that are kept', () => {
  const rows =
    page
      .split('## Limits\n')[1]
      ?.split(/^## /m)[0]
      ?.match(/^\| .* \|$/gm) ?? [];
  const limitOf = (what: string) =>
    rows
      .find((row) => row.startsWith(`| ${what} |`))
      ?.split('|')[2]
      ?.trim();
  const { filesMax, fileBytesMax, evaluationMs, evaluationKillMs, memoryBytes } = compileLimits;
  const hours = (ms: number): string => `${ms / 3_600_000} h`;
  assert.equal(limitOf('a webhook'), formatBytes(forgeLimits.webhookBytesMax));
  assert.equal(limitOf('a request to the API'), formatBytes(serverLimits.bodyBytesMax));
  assert.equal(limitOf('wrong tokens at `/login`'), `${loginLimits.tries} a minute from one address`);
  const { lifeMs, idleMs } = sessionLimits;
  assert.equal(limitOf('a session'), `${hours(lifeMs)}, ${hours(idleMs)} without a request`);
  const [processor, clock] = [evaluationMs / 1000, evaluationKillMs / 1000];
  const evaluating = `${processor} s of the processor, ${clock} s by the clock, ${formatBytes(memoryBytes)}`;
  assert.equal(limitOf('evaluating a definition'), evaluating);
  assert.equal(limitOf('files and bytes of `.pipelines/`'), `${filesMax} files of ${formatBytes(fileBytesMax)} each`);
  const { logBytesMax, lineBytesMax } = logLimits;
  assert.equal(limitOf('a log, a line of it'), `${formatBytes(logBytesMax)}, ${formatBytes(lineBytesMax)}`);
});

test('reading is open, and what changes something is not', () => {
  for (const [route, permission] of Object.entries(access))
    assert.equal(permission === 'open', route.startsWith('GET '), route);
});

/** Gives its log the environment of every process that it may read. */
const curious = `import { pipeline, step } from 'contender';

export default pipeline('curious', { on: { push: {} } }, () => {
  step('look', {
    command: ['sh', '-c', 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\\\0" "\\\\n" | grep -a ^CONTENDER_SECRET_; env | grep NAMED'],
    secrets: ['NAMED'],
  });
});
`;

test('a local step has the secrets that it names alone, can find the others all the same, and shows none', async () => {
  const sandbox = createProject({ '.pipelines/curious.ts': curious });
  try {
    const environment = { CONTENDER_SECRET_NAMED: 'first-value', CONTENDER_SECRET_OTHER: 'second-value' };
    assert.equal((await sandbox.run(['run', 'curious'], { environment })).status, 0);
    const { out: output } = await sandbox.run(['logs', 'curious#1']);
    assert.match(output, /^look NAMED=\*\*\*$/m);
    assert.match(output, /CONTENDER_SECRET_OTHER=\*\*\*/);
    assert.doesNotMatch(output, /first-value|second-value/);
  } finally {
    await sandbox.remove();
  }
});
