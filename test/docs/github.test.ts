/** What docs/github.md has its reader write down is what the server takes, and tells where it is wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { access } from '../../src/server/access.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('github.md');
const keyPem = '-----BEGIN PRIVATE KEY-----\n';

/** The block after the marker, which stands within a list. */
function blockOf(name: string): string {
  const block = new RegExp(`<!-- example: ${name} -->\n *\`\`\`\\w+\n([\\s\\S]*?)\n *\`\`\``).exec(page)?.[1] ?? '';
  return block.replaceAll(/^ {3}/gm, '');
}

function variablesOf(name: string): Readonly<Record<string, string>> {
  const lines = blockOf(name).matchAll(/^export (\w+)=(\S+)/gm);
  return Object.fromEntries([...lines].map(([, variable = '', value = '']) => [variable, value]));
}

function configWith(variables: Readonly<Record<string, string>>): Config {
  const folder = mkdtempSync(join(tmpdir(), 'github-page-'));
  try {
    writeFileSync(join(folder, 'contender.yaml'), blockOf('settings'));
    writeFileSync(join(folder, 'app.pem'), keyPem);
    const here = Object.entries(variables).map(([name, value]) => [
      name,
      value.replace('/etc/contender/app.pem', join(folder, 'app.pem')),
    ]);
    return loadConfig(folder, Object.fromEntries(here));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the settings of docs/github.md with its token watch a repository on GitHub, by its name there', () => {
  const [repository] = configWith(variablesOf('token')).repositories;
  assert.equal(repository?.name, 'OWNER/NAME');
  assert.deepEqual(repository.github?.auth, { kind: 'token', token: 'github_pat_...' });
  assert.deepEqual(repository.github.webhookSecrets, ['...']);
  assert.equal(repository.pollMs, 60_000, 'within a minute');
});

test('with its App too, which is taken where both are given', () => {
  const variables = { ...variablesOf('token'), ...variablesOf('app') };
  const { auth } = configWith(variables).repositories[0]?.github ?? {};
  assert.deepEqual(auth, { kind: 'app', appId: 123456, privateKey: keyPem, contentsWrite: true });
});

test('the webhook comes where docs/github.md says', () => {
  assert.match(page, /\| Payload URL \| `https:\/\/YOUR-SERVER\/webhooks\/OWNER\/NAME` \|/);
  assert.equal(access['POST /webhooks/*'], 'signed');
});
