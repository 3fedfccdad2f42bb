import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { createCompiler } from '../../src/compile/compiler.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { notificationEvents } from '../../src/notify/notify.ts';
import { payloadSchema } from '../../src/notify/payload.ts';
import { commitOf } from '../compile/sources.ts';
import { exampleOf, pageOf } from './blocks.ts';

const page = pageOf('notifications.md');
const compiler = await createCompiler();
after(async () => await compiler.close());

function blockOf(name: string, language: string): string {
  return new RegExp(`<!-- example: ${name} -->\n\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '';
}

test('the settings of docs/notifications.md are accepted, and declare what its pipeline names', async () => {
  const { channels } = configFileSchema.parse(parse(blockOf('settings', 'yaml'))).notifications;
  const source = blockOf('pipeline', 'ts');
  const [compiled] = await compiler.compile(commitOf({ '.pipelines/weekly-churn.ts': source }));
  assert.deepEqual(compiled?.problems, []);
  const { deadline = [], failure = [], recovery = [], approval = [] } = compiled?.version?.definition.notify ?? {};
  assert.deepEqual(new Set([...deadline, ...failure, ...recovery, ...approval]), new Set(Object.keys(channels)));
});

test('the payload of docs/notifications.md is one, and its schema is that of the webhook', () => {
  assert.equal(payloadSchema.parse(JSON.parse(exampleOf(page, 'payload'))).event, 'deadline-missed');
  assert.deepEqual(JSON.parse(exampleOf(page, 'schema')), z.toJSONSchema(payloadSchema));
});

test('docs/notifications.md says of each event when it is told', () => {
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \| .* \| `notify/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(listed), new Set(notificationEvents));
});
