/** The artifacts of a server, as its agents see them, under the contract of all stores. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { randomBytes } from 'node:crypto';
import { createRemoteArtifacts } from '../../../src/executor/agent/remote-artifacts.ts';
import { artifactStoreKeepsItsContract } from '../../contract/artifact-store.ts';
import { command, specOf } from '../workshop.ts';
import { openBureau, type Bureau } from './bureau.ts';

const opened: Bureau[] = [];
after(() => Promise.all(opened.map((bureau) => bureau.close())));

artifactStoreKeepsItsContract('remote', async () => {
  const bureau = await openBureau();
  opened.push(bureau);
  const link = bureau.link(bureau.open({ type: 'attempt', spec: specOf(command('true')) }));
  const { token } = await link.json<{ token: string }>('POST', 'begin', {
    agent: randomBytes(32).toString('base64url'),
    place: null,
  });
  link.use(token);
  return {
    store: createRemoteArtifacts(link),
    async damage(sha256) {
      const path = join(bureau.folder, 'stores', 'artifacts', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
      const bytes = await readFile(path);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await chmod(path, 0o644);
      await writeFile(path, bytes);
    },
  };
});
