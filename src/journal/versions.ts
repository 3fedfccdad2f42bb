/** What commits compiled to, the definitions by digest, and where the branches stood. */
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Query, RawRow, Step } from './driver.ts';
import type { VersionRow, Write } from './journal.ts';
import * as parse from './parse.ts';

export function definitionByDigest(digest: string): Query<PipelineDefinition> {
  return {
    text: 'select body from definition where digest = $1',
    values: [digest],
    parse: definitionOf,
  };
}

const laterFields = { cache: null } as const;

/** What an earlier version of this program kept lacks the fields that came later. */
function definitionOf(row: RawRow): PipelineDefinition {
  const kept = parse.json<PipelineDefinition>(row, 'body');
  return { ...kept, steps: kept.steps.map((step) => ({ ...laterFields, ...step })) };
}

export function versionsOfCommit(repository: string, sha: string): Query<readonly VersionRow[]> {
  return {
    text: 'select versions from compiled_commit where repository = $1 and sha = $2',
    values: [repository, sha],
    parse: (row) => parse.json<readonly VersionRow[]>(row, 'versions'),
  };
}

/** A second time changes nothing: a commit compiles to the same for ever. */
export function putVersions(write: Extract<Write, { write: 'versions' }>): Step[] {
  return [
    ...[...write.definitions].map(([digest, definition]) => ({
      text: 'insert into definition (digest, body) values ($1, $2) on conflict (digest) do nothing',
      values: [digest, JSON.stringify(definition)],
      otherwise: null,
    })),
    {
      text: `
        insert into compiled_commit (repository, sha, at, versions) values ($1, $2, $3, $4)
        on conflict (repository, sha) do nothing`,
      values: [write.repository, write.sha, write.at, JSON.stringify(write.versions)],
      otherwise: null,
    },
  ];
}

export function headOfBranch(repository: string, branch: string): Query<string> {
  return {
    text: 'select sha from branch_head where repository = $1 and branch = $2',
    values: [repository, branch],
    parse: (row) => parse.text(row, 'sha'),
  };
}

export function headsOfRepository(repository: string): Query<readonly [string, string]> {
  return {
    text: 'select branch, sha from branch_head where repository = $1 order by branch',
    values: [repository],
    parse: (row) => [parse.text(row, 'branch'), parse.text(row, 'sha')],
  };
}

/** The last one stands; without a SHA the branch is gone. */
export function putHead(write: Extract<Write, { write: 'head' }>): Step[] {
  if (write.sha === null) {
    const text = 'delete from branch_head where repository = $1 and branch = $2';
    return [{ text, values: [write.repository, write.branch], otherwise: null }];
  }
  return [
    {
      text: `
        insert into branch_head (repository, branch, sha, at) values ($1, $2, $3, $4)
        on conflict (repository, branch) do update set sha = excluded.sha, at = excluded.at`,
      values: [write.repository, write.branch, write.sha, write.at],
      otherwise: null,
    },
  ];
}
