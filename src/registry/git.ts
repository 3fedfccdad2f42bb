/**
 * The registry in Git: two files for each model on a branch of its own (model-files.ts), so that history, review, blame
 * and backup are Git's, and no server is needed to know the champion. A promotion is one commit, pushed only while the
 * branch stands where it was read.
 */
import type { GitError, GitRepository, Sha } from '../git/git.ts';
import { failure, success, type Result } from '../std/result.ts';
import {
  checkPromotion,
  formatLedger,
  formatPointer,
  modelNamePattern,
  modelOfPath,
  modelPaths,
  parseModel,
} from './model-files.ts';
import { championOf, decidePromotion, emptyModel, type ModelState } from './promotion.ts';
import type {
  LedgerEntry,
  ModelList,
  ModelPointer,
  ModelRegistry,
  ModelVersion,
  Promotion,
  RegistryError,
} from './registry.ts';

export interface GitRegistryOptions {
  readonly repository: GitRepository;
  /** Holds nothing but the registry; made by the first promotion. */
  readonly branch?: string;
}

/** How often a promotion is decided anew because the branch moved, as it does when other models are promoted. */
const attemptsMax = 5;

const author = { name: 'Contender', email: 'contender@contender.invalid' };

/** Every call but `modelsHere` asks the remote where the branch stands: what it answers was true at some moment of the call. */
export function openGitRegistry(options: GitRegistryOptions): ModelRegistry {
  const { repository } = options;
  const branch = options.branch ?? 'contender/models';
  let everSeen = false;
  let lastList: { readonly sha: Sha; readonly list: ModelList } | null = null;

  const tip = async (): Promise<Result<Sha | null, RegistryError>> => {
    const found = await repository.branchTip(branch);
    return found.ok ? seen(found.value) : unreachable(found.error);
  };

  const seen = (sha: Sha | null): Result<Sha | null, RegistryError> => {
    if (sha === null && everSeen) {
      // Empty would mean "no champion", and the next challenger would win against nobody.
      return invalid(
        `branch ${branch} is gone from the remote: push it again, or restart to begin with an empty registry`,
      );
    }
    everSeen ||= sha !== null;
    return success(sha);
  };

  /** Without the mirror's turn, which others wait for, unless the branch has moved. */
  const listedTip = async (): Promise<Result<Sha | null, RegistryError>> => {
    const branches = await repository.remoteBranches();
    if (!branches.ok) return unreachable(branches.error);
    const sha = seen(branches.value.get(branch) ?? null);
    if (!sha.ok || sha.value === null) return sha;
    const here = await repository.ensure(sha.value);
    return here.ok ? sha : unreachable(here.error);
  };

  const stateAt = async (sha: Sha | null, model: string): Promise<Result<ModelState | null, RegistryError>> => {
    if (sha === null) return success(null);
    const paths = modelPaths(model);
    const contents = await repository.read(sha, [paths.pointer, paths.ledger]);
    if (!contents.ok) return unreachable(contents.error);
    const textOf = (path: string): string | null => {
      const bytes = contents.value.get(path);
      return bytes === undefined ? null : new TextDecoder().decode(bytes);
    };
    const state = parseModel(model, { pointer: textOf(paths.pointer), ledger: textOf(paths.ledger) });
    return state.ok ? state : invalid(`branch ${branch}: ${state.error}`);
  };

  const listAt = async (sha: Sha): Promise<Result<ModelList, RegistryError>> => {
    if (lastList?.sha === sha) return success(lastList.list);
    const files = await repository.files(sha, 'models');
    if (!files.ok) return unreachable(files.error);
    const pointers: ModelPointer[] = [];
    const broken = new Map<string, string>();
    for (const model of files.value.flatMap((file) => modelOfPath(file.path) ?? []).sort()) {
      const state = await stateAt(sha, model);
      if (!state.ok && state.error.kind !== 'invalid') return state;
      if (!state.ok) broken.set(model, state.error.message);
      else if (state.value !== null) pointers.push(state.value.pointer);
    }
    const list = { pointers, broken };
    lastList = { sha, list };
    return success(list);
  };

  const read = async (model: string): Promise<Result<ModelState | null, RegistryError>> => {
    if (!modelNamePattern.test(model)) return invalid(`${JSON.stringify(model.slice(0, 80))} is no name of a model`);
    const sha = await tip();
    return sha.ok ? stateAt(sha.value, model) : sha;
  };

  return {
    async champion(model): Promise<Result<ModelVersion | null, RegistryError>> {
      const state = await read(model);
      return state.ok ? success(state.value === null ? null : championOf(state.value.pointer)) : state;
    },
    async model(model): Promise<Result<ModelPointer | null, RegistryError>> {
      const state = await read(model);
      return state.ok ? success(state.value?.pointer ?? null) : state;
    },
    async ledger(model): Promise<Result<readonly LedgerEntry[], RegistryError>> {
      const state = await read(model);
      return state.ok ? success(state.value?.ledger ?? []) : state;
    },
    async models(): Promise<Result<ModelList, RegistryError>> {
      const sha = await listedTip();
      if (!sha.ok) return sha;
      return sha.value === null ? success({ pointers: [], broken: new Map() }) : listAt(sha.value);
    },
    async modelsHere(): Promise<Result<ModelList, RegistryError>> {
      const sha = await repository.resolve(branch);
      return sha.ok ? listAt(sha.value) : unreachable(sha.error);
    },
    async promote(promotion): Promise<Result<ModelVersion, RegistryError>> {
      const fit = checkPromotion(promotion);
      if (!fit.ok) return invalid(fit.error);
      for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
        const sha = await tip();
        if (!sha.ok) return sha;
        const state = await stateAt(sha.value, promotion.model);
        if (!state.ok) return state;
        const step = decidePromotion(state.value ?? emptyModel(promotion.model), promotion);
        if (!step.ok) return step;
        if (step.value.kind === 'again') return success(step.value.version);
        const written = await repository.commitFiles(commitOf(branch, sha.value, step.value.state, promotion));
        if (written.ok) {
          everSeen = true;
          return success(step.value.version);
        }
        if (written.error.kind === 'denied') return denied(branch, written.error);
        if (written.error.kind !== 'moved') return unreachable(written.error);
      }
      return failure({
        kind: 'unreachable',
        message: `branch ${branch} moved ${attemptsMax} times in a row: try again`,
      });
    },
  };
}

function commitOf(
  branch: string,
  expected: Sha | null,
  state: ModelState,
  promotion: Promotion,
): Parameters<GitRepository['commitFiles']>[0] {
  const paths = modelPaths(promotion.model);
  const { evidence } = promotion;
  const line = (name: string, value: string): string => `${name}: ${value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}`;
  const message = [
    `Promote ${promotion.model} to version ${state.pointer.versions.length}`,
    '',
    line('Decided-by', evidence.decidedBy),
    line('Decision', promotion.decision),
    line('Pipeline', evidence.pipeline),
    line('Run', evidence.runId),
    line('Commit', evidence.sha),
    '',
  ].join('\n');
  const files = new Map([
    [paths.pointer, formatPointer(state.pointer)],
    [paths.ledger, formatLedger(state.ledger)],
  ]);
  return { branch, expected, files, message, author, at: promotion.at };
}

function unreachable(error: GitError): Result<never, RegistryError> {
  return failure({ kind: 'unreachable', message: `the registry cannot be reached: ${error.message}` });
}

function denied(branch: string, error: GitError): Result<never, RegistryError> {
  const help = `Let the token or App write contents, and leave ${branch} out of the rules for pushes`;
  return failure({ kind: 'denied', message: `the registry cannot be written (${error.message}). ${help}` });
}

function invalid(message: string): Result<never, RegistryError> {
  return failure({ kind: 'invalid', message });
}
