/** A registry in memory that keeps the contract: for tests of others, and for trying out without a repository. */
import { failure, success } from '../std/result.ts';
import { checkPromotion, modelNamePattern } from './model-files.ts';
import { championOf, decidePromotion, emptyModel, type ModelState } from './promotion.ts';
import type { ModelList, ModelPointer, ModelRegistry, RegistryError } from './registry.ts';

export interface MemoryRegistry extends ModelRegistry {
  /** As a person would by editing the pointer file; null releases. */
  setHold(model: string, hold: ModelPointer['hold']): void;
  /** While true every call answers `unreachable`. */
  setUnreachable(unreachable: boolean): void;
}

export function openMemoryRegistry(): MemoryRegistry {
  const models = new Map<string, ModelState>();
  let down = false;

  const problem = (model: string): RegistryError | null => {
    if (down) return { kind: 'unreachable', message: 'the registry cannot be reached: it was told so' };
    if (modelNamePattern.test(model)) return null;
    return { kind: 'invalid', message: `${JSON.stringify(model.slice(0, 80))} is no name of a model` };
  };
  const look = <T>(model: string, answer: (state: ModelState | undefined) => T) => {
    const error = problem(model);
    return Promise.resolve(error === null ? success(answer(models.get(model))) : failure(error));
  };

  const list = (): ModelList => ({
    pointers: [...models.keys()].sort().flatMap((model) => models.get(model)?.pointer ?? []),
    broken: new Map(),
  });

  return {
    champion: (model) => look(model, (state) => (state === undefined ? null : championOf(state.pointer))),
    model: (model) => look(model, (state) => state?.pointer ?? null),
    ledger: (model) => look(model, (state) => state?.ledger ?? []),
    models: () => look('any', list),
    modelsHere: () => Promise.resolve(success(list())),
    promote(promotion) {
      const error = problem(promotion.model);
      if (error !== null) return Promise.resolve(failure(error));
      const fit = checkPromotion(promotion);
      if (!fit.ok) return Promise.resolve(failure({ kind: 'invalid', message: fit.error }));
      const own = structuredClone(promotion);
      const step = decidePromotion(models.get(own.model) ?? emptyModel(own.model), own);
      if (!step.ok) return Promise.resolve(step);
      if (step.value.kind === 'write') models.set(own.model, step.value.state);
      return Promise.resolve(success(step.value.version));
    },
    setHold(model, hold) {
      const state = models.get(model) ?? emptyModel(model);
      models.set(model, { ...state, pointer: { ...state.pointer, hold } });
    },
    setUnreachable(unreachable) {
      down = unreachable;
    },
  };
}
