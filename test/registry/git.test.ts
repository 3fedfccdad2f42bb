import { renameSync } from 'node:fs';
import { modelRegistryContract } from '../contract/model-registry.ts';
import { makeRemote } from '../support/git-remote.ts';
import { editRegistryFile, openRegistryOf } from '../support/git-registry.ts';

modelRegistryContract('the registry in Git', (t) => {
  const remote = makeRemote(t);
  const away = `${remote.path}.away`;
  return Promise.resolve({
    registry: openRegistryOf(t, remote),
    second: () => openRegistryOf(t, remote),
    hold: (model, reason) => {
      const hold = reason === null ? null : { reason, by: 'mona', at: 1_700_000_000_000 };
      editRegistryFile(remote, `models/${model}.json`, (text) =>
        JSON.stringify({ ...JSON.parse(text), hold }, null, 2),
      );
      return Promise.resolve();
    },
    disconnect: () => renameSync(remote.path, away),
    reconnect: () => renameSync(away, remote.path),
  });
});
