/** Who we are on GitHub: only comments of this account are ever edited or deleted. */
import { z } from 'zod';
import { success, type Result } from '../../std/result.ts';
import type { Api, CallFailure } from './api.ts';
import { appSignature, type AppKey } from './credentials.ts';

export interface Author {
  readonly login: string;
  readonly id: number | null;
}

export interface Identity {
  /** Asked once, then remembered. */
  own(): Promise<Result<Author, CallFailure>>;
  /** As far as it is known already. */
  known(): Author | null;
}

export function tokenIdentity(api: Api): Identity {
  return remembered(() =>
    api.call('say who the token belongs to', z.object({ login: z.string(), id: z.number() }), (octokit) =>
      octokit.rest.users.getAuthenticated(),
    ),
  );
}

/** An App acts as the bot user `slug[bot]`, a name that nobody else can have. */
export function appIdentity(app: AppKey, api: Api): Identity {
  return remembered(async () => {
    const found = await api.call('say who the App is', z.object({ slug: z.string().min(1) }), async (octokit) =>
      octokit.rest.apps.getAuthenticated({ headers: await appSignature(app) }),
    );
    return found.ok ? success({ login: `${found.value.slug}[bot]`, id: null }) : found;
  });
}

function remembered(ask: () => Promise<Result<Author, CallFailure>>): Identity {
  let author: Author | null = null;
  return {
    async own() {
      if (author !== null) return success(author);
      const found = await ask();
      if (found.ok) author = found.value;
      return found;
    },
    known: () => author,
  };
}

/** By id where it is known, since a login can be given up and taken by somebody else. */
export function isOwn(author: Author, user: { readonly login: string; readonly id: number } | null): boolean {
  if (user === null) return false;
  return author.id === null ? user.login.toLowerCase() === author.login.toLowerCase() : user.id === author.id;
}
