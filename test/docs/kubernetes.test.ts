/** What docs/kubernetes.md shows is of this version, and is what the image and the settings are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { configFileSchema } from '../../src/config/schema.ts';
import { version } from '../../src/version.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('kubernetes.md');

function blocksOf(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
}

/** Lines that are instructions of the image itself, not of what it is built on or of packages. */
function instructionsOf(dockerfile: string): readonly string[] {
  const lines = dockerfile.replaceAll(/\\\n\s*/g, '').split('\n');
  return lines.filter((line) => /^(?:RUN install|WORKDIR|USER|STOPSIGNAL|ENTRYPOINT) /.test(line));
}

test('each image that docs/kubernetes.md names has the tag of this version', () => {
  const tags = [...page.matchAll(/contender-(?:server|runner):([\w.-]+)/g)].map(([, tag]) => tag);
  assert.ok(tags.length >= 8);
  assert.deepEqual(new Set(tags), new Set([version]));
});

test('the settings of docs/kubernetes.md are accepted', () => {
  const blocks = blocksOf('yaml');
  assert.ok(blocks.length >= 2);
  for (const block of blocks) assert.doesNotThrow(() => configFileSchema.parse(parse(block)), block);
});

test('an image on a base of one’s own is made as the one of the runner', () => {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  const [, runner = ''] = /^FROM program AS runner\n([\s\S]*?)^FROM /m.exec(dockerfile) ?? [];
  const shown = /<!-- example: a base of your own -->\n```dockerfile\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  assert.deepEqual(instructionsOf(shown), instructionsOf(runner));
  assert.ok(dockerfile.includes('ENV NODE_ENV=production\nWORKDIR /opt/contender\n'));
  assert.ok(shown.includes('COPY --from=runner /opt/contender /opt/contender\nENV NODE_ENV=production\n'));
});
