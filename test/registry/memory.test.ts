import { openMemoryRegistry } from '../../src/registry/memory.ts';
import { modelRegistryContract } from '../contract/model-registry.ts';

modelRegistryContract('the registry in memory', () => {
  const registry = openMemoryRegistry();
  return Promise.resolve({
    registry,
    second: () => registry,
    hold: (model, reason) => {
      registry.setHold(model, reason === null ? null : { reason, by: 'mona', at: 1 });
      return Promise.resolve();
    },
    disconnect: () => registry.setUnreachable(true),
    reconnect: () => registry.setUnreachable(false),
  });
});
