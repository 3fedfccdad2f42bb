/** The registry in memory as one server reaches it: late, out of reach, or promoted without an answer. */
import type { ModelRegistry, RegistryError } from '../../src/registry/registry.ts';
import { failure, type Result } from '../../src/std/result.ts';
import type { Wire } from './wire.ts';

export function simulatedRegistry(registry: ModelRegistry, wire: Wire): ModelRegistry {
  const call = <T>(effect: () => Promise<Result<T, RegistryError>>): Promise<Result<T, RegistryError>> =>
    wire.call<Result<T, RegistryError>>(effect, {
      before: 'registry',
      after: 'registry',
      answer: () => failure({ kind: 'unreachable', message: 'the registry does not answer' }),
    });
  return {
    champion: (model) => call(() => registry.champion(model)),
    model: (model) => call(() => registry.model(model)),
    models: () => call(() => registry.models()),
    modelsHere: () => registry.modelsHere(),
    ledger: (model) => call(() => registry.ledger(model)),
    promote: (promotion) => call(() => registry.promote(promotion)),
  };
}
