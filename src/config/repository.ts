/** Repositories, and how those on GitHub are spoken with: what is secret comes from the environment. */
import { basename } from 'node:path';
import type { JsonObject } from '../std/json.ts';
import { documentation } from '../version.ts';
import { given, webhookSecretsIn, type Environment } from './environment.ts';
import { invalid, pathIn, textOf } from './file.ts';
import type { ConfigFile } from './schema.ts';

export interface RepositoryConfig {
  readonly name: string;
  /** A path, or an https or ssh address. */
  readonly url: string;
  readonly github: GitHubConfig | null;
  readonly pollMs: number;
  readonly pollWithHooksMs: number;
  /** What the pods of its steps are like, in the words of the option `pod`. */
  readonly pod: JsonObject;
}

export interface GitHubConfig {
  readonly repository: string;
  readonly apiUrl: string;
  readonly auth:
    | { readonly kind: 'token'; readonly token: string }
    | {
        readonly kind: 'app';
        readonly appId: number;
        readonly privateKey: string;
        readonly contentsWrite: true;
        readonly installationId?: number;
      };
  readonly webhookSecrets: readonly string[];
}

type GitHubSettings = NonNullable<ConfigFile['repositories'][number]['github']>;

export function readRepository(
  repository: ConfigFile['repositories'][number],
  directory: string,
  environment: Environment,
): RepositoryConfig {
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(repository.url) || /^[\w.-]+@[\w.-]+:/.test(repository.url);
  const url = isAddress ? repository.url : pathIn(directory, repository.url);
  const github = repository.github === undefined ? null : readGitHub(repository.github, environment);
  const name =
    repository.name ??
    github?.repository ??
    basename(url)
      .replace(/\.git$/, '')
      .replaceAll(/[^\w.-]/g, '-');
  // A folder next door costs nothing to look at; somebody else's server does.
  const pollMs = repository.poll ?? (isAddress ? 60_000 : 1000);
  return { name, url, github, pollMs, pollWithHooksMs: Math.max(pollMs, 600_000), pod: repository.pod };
}

function readGitHub(github: GitHubSettings, environment: Environment): GitHubConfig {
  return {
    repository: github.repository,
    apiUrl: github.apiUrl.replace(/\/$/, ''),
    auth: readAuth(github, environment),
    webhookSecrets: webhookSecretsIn(environment),
  };
}

function readAuth(github: GitHubSettings, environment: Environment): GitHubConfig['auth'] {
  const appId = given(environment, 'CONTENDER_GITHUB_APP_ID');
  const keyFile = given(environment, 'CONTENDER_GITHUB_PRIVATE_KEY_FILE');
  const privateKey =
    given(environment, 'CONTENDER_GITHUB_PRIVATE_KEY') ??
    (keyFile === null ? null : textOf(keyFile, 'CONTENDER_GITHUB_PRIVATE_KEY_FILE names the key that GitHub gave.'));
  if (appId !== null && privateKey !== null) {
    // Champions are kept on a branch of the repository, so the App writes contents.
    return {
      kind: 'app',
      appId: Number(appId),
      privateKey,
      contentsWrite: true,
      ...(github.installationId === undefined ? {} : { installationId: github.installationId }),
    };
  }
  const token = given(environment, 'CONTENDER_GITHUB_TOKEN');
  if (token !== null) return { kind: 'token', token };
  throw invalid(
    `there are no credentials for ${github.repository} in the environment`,
    null,
    `Set CONTENDER_GITHUB_TOKEN, or CONTENDER_GITHUB_APP_ID and CONTENDER_GITHUB_PRIVATE_KEY_FILE (${documentation('github.md')}).`,
  );
}
