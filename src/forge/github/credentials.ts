/**
 * Tokens: one given for good, or those of a GitHub App, which live an hour and are renewed long before, so that no long
 * run ends with a dead one. An App's token is asked for this repository and for what is needed, no more.
 */
import { z } from 'zod';
import type { Clock } from '../../std/clock.ts';
import type { Result } from '../../std/result.ts';
import type { Api, CallFailure } from './api.ts';
import { CallRefused, type TokenSource } from './transport.ts';

const tokenLimits = {
  /** Of an App's token, which GitHub lets live for 60 minutes. */
  ageMsMax: 50 * 60_000,
  /** However short GitHub says that it lives: a wrong clock must not ask for one with every call. */
  ageMsMin: 60_000,
} as const;

export interface AppKey {
  readonly appId: number;
  /** PEM. */
  readonly privateKey: string;
  /** Found by the repository where it is not given. */
  readonly installationId?: number;
  /** For promotion pull requests and pointer files: `contents: write` instead of `read`. */
  readonly contentsWrite?: boolean;
}

export function fixedToken(token: string): TokenSource {
  return { current: () => Promise.resolve(token), renewed: () => Promise.resolve(null) };
}

/** `api` carries no token of its own: its calls bring the App's signature. */
export function appTokens(app: AppKey, api: Api, clock: Clock): TokenSource {
  let held: { readonly token: string; readonly until: number } | null = null;
  let asking: Promise<string> | null = null;
  let installation: number | null = app.installationId ?? null;

  const ask = async (): Promise<string> => {
    installation ??= await findInstallation(app, api);
    const id = installation;
    const answer = orThrow(
      await api.call('give a token for the installation', tokenAnswer, async (octokit) =>
        octokit.rest.apps.createInstallationAccessToken({
          installation_id: id,
          repositories: [api.repository.repo],
          permissions: {
            contents: app.contentsWrite === true ? 'write' : 'read',
            statuses: 'write',
            checks: 'write',
            pull_requests: 'write',
            metadata: 'read',
          },
          headers: await appSignature(app),
        }),
      ),
    );
    const now = clock.now();
    const life = Date.parse(answer.expires_at) - now - tokenLimits.ageMsMin;
    held = {
      token: answer.token,
      until: now + Math.min(tokenLimits.ageMsMax, Math.max(tokenLimits.ageMsMin, Number.isNaN(life) ? 0 : life)),
    };
    return answer.token;
  };
  const renew = (): Promise<string> => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };

  return {
    current() {
      const now = clock.now();
      return held !== null && now < held.until && held.until - now <= tokenLimits.ageMsMax
        ? Promise.resolve(held.token)
        : renew();
    },
    renewed(refused) {
      return held !== null && held.token !== refused ? Promise.resolve(held.token) : renew();
    },
  };
}

/** The header that proves to be the App: a JWT of at most ten minutes, made by Octokit. */
export async function appSignature(app: AppKey): Promise<{ readonly authorization: string }> {
  const { createAppAuth } = await import('@octokit/auth-app');
  const { token } = await createAppAuth({ appId: app.appId, privateKey: app.privateKey })({ type: 'app' });
  return { authorization: `Bearer ${token}` };
}

async function findInstallation(app: AppKey, api: Api): Promise<number> {
  const found = await api.call('find the installation of the App', z.object({ id: z.number() }), async (octokit) =>
    octokit.rest.apps.getRepoInstallation({ ...api.repository, headers: await appSignature(app) }),
  );
  return orThrow(found).id;
}

const tokenAnswer = z.object({ token: z.string().min(1), expires_at: z.string() });

/** Without a token nothing can be done, whatever GitHub says against it: a permission that was not granted is a 422. */
function orThrow<T>(result: Result<T, CallFailure>): T {
  if (result.ok) return result.value;
  const { error } = result.error;
  throw new CallRefused(
    error.kind === 'final' ? { kind: 'refused', message: `${error.message} ${appAdvice}`, retryAt: null } : error,
  );
}

const appAdvice = 'Is the App installed, and does it have the permissions that docs/github.md lists?';
