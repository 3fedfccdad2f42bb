/** GitHub's REST API as results: each call is made through the transport, and its answer is read by a schema, never trusted. */
import type { Octokit } from '@octokit/rest';
import type { z } from 'zod';
import { failure, success, type Result } from '../../std/result.ts';
import type { ForgeError } from '../forge.ts';
import { CallRefused, type Fetch } from './transport.ts';

/** A call that failed; `status` is GitHub's answer, where there was one. */
export interface CallFailure {
  readonly status: number | null;
  readonly error: ForgeError;
}

export interface Api {
  /** Where the repository is: the parameters that every path starts with. */
  readonly repository: { readonly owner: string; readonly repo: string };
  /** `what` completes "GitHub refused to …". */
  call<T>(
    what: string,
    schema: z.ZodType<T>,
    send: (octokit: Octokit) => Promise<{ readonly data: unknown }>,
  ): Promise<Result<T, CallFailure>>;
}

export function createApi(repository: string, octokit: () => Promise<Octokit>): Api {
  const [owner = '', repo = ''] = repository.split('/');
  return {
    repository: { owner, repo },
    async call(what, schema, send) {
      try {
        const { data } = await send(await octokit());
        const read = schema.safeParse(data);
        if (read.success) return success(read.data);
        const where = read.error.issues[0]?.path.join('.') ?? '';
        return failure({
          status: null,
          error: {
            kind: 'unreachable',
            message: `the answer of GitHub when asked to ${what} cannot be read${where === '' ? '' : ` (${where})`}`,
            retryAt: null,
          },
        });
      } catch (error) {
        return failure(callFailure(what, error));
      }
    },
  };
}

/** Octokit on our transport: loaded with the first call, since it is not needed to start. */
export function lazyOctokit(apiUrl: string, transport: Fetch): () => Promise<Octokit> {
  let loaded: Promise<Octokit> | null = null;
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return () => {
    loaded ??= import('@octokit/rest').then(
      ({ Octokit }) =>
        new Octokit({
          baseUrl: apiUrl.replace(/\/+$/, ''),
          userAgent: 'contender',
          log: silent,
          request: { fetch: transport },
        }),
    );
    return loaded;
  };
}

function callFailure(what: string, error: unknown): CallFailure {
  const refused =
    error instanceof CallRefused
      ? error
      : error instanceof Error && error.cause instanceof CallRefused
        ? error.cause
        : null;
  if (refused !== null) return { status: null, error: refused.error };
  const status = statusOf(error);
  // Anything else was thrown by our own code: a bug, not an answer.
  if (status === null || !(error instanceof Error)) throw error;
  const message = `GitHub refused to ${what} (${status}): ${error.message.slice(0, 500)}`;
  if (status >= 500 || status === 408 || status === 409 || status === 425)
    return { status, error: { kind: 'unreachable', message, retryAt: null } };
  if (status === 422 && /no commit found for sha/i.test(error.message))
    return { status, error: { kind: 'early', message, retryAt: null } };
  const advice = adviceFor(status);
  return advice === null
    ? { status, error: { kind: 'final', message } }
    : { status, error: { kind: 'refused', message: `${message} ${advice}`, retryAt: null } };
}

/** What somebody may have to mend; null: nothing. Of what it hides, GitHub says that it is not there. */
function adviceFor(status: number): string | null {
  switch (status) {
    case 401:
      return 'Is the token or the private key still valid, and the clock right?';
    case 403:
      return 'Does the token or App have the permissions that docs/github.md lists?';
    case 404:
      return 'Does it exist, and may the token or App see it?';
    default:
      return null;
  }
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && error.name === 'HttpError' && 'status' in error && typeof error.status === 'number'
    ? error.status
    : null;
}
