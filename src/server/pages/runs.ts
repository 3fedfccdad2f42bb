/** `/` and `/runs`: the list of runs with its filters. */
import type { FastifyInstance } from 'fastify';
import { refusalsOf } from '../../conductor/read.ts';
import type { RunFilter } from '../../journal/journal.ts';
import { runsPage, runStates, triggerOf, type RunsFilter } from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import { linksOf } from './run-reader.ts';
import type { PageReply } from './reply.ts';
import type { RepositoryReader } from './repositories.ts';
import { fieldOf } from './request.ts';

const pageRuns = 50;

export function runsRoutes(
  app: FastifyInstance,
  ports: ServerPorts,
  repositories: RepositoryReader,
  pages: PageReply,
): void {
  for (const address of ['/', '/runs']) {
    app.get(address, async (request, reply) => {
      const filter = filterOf(request.query);
      const [rows, pipelines, unseen] = await Promise.all([
        ports.journal.runs(journalFilter(filter)),
        repositories.pipelineNames(),
        repositories.unseen(),
      ]);
      const shown = rows.slice(0, pageRuns);
      const refusals = await refusalsOf(ports.journal, shown);
      const page = runsPage({
        now: ports.clock.now(),
        runs: shown.map((row) => ({
          id: row.id,
          number: row.number,
          repository: row.opened.repository,
          pipeline: row.opened.pipeline,
          state: row.state,
          refused: refusals.get(row.id) ?? null,
          reason: row.reason,
          trigger: triggerOf(row.opened, linksOf(ports, row.opened.repository)),
          sha: row.opened.sha,
          openedAt: row.opened.at,
          finishedAt: row.finishedAt,
        })),
        filter,
        pipelines,
        unseen,
        severalRepositories: ports.projects.size > 1,
        olderThan: rows.length > pageRuns ? (shown.at(-1)?.id ?? null) : null,
      });
      return pages.send(request, reply, page);
    });
  }
}

function filterOf(query: unknown): RunsFilter {
  const state = fieldOf(query, 'state');
  return {
    repository: fieldOf(query, 'repository'),
    pipeline: fieldOf(query, 'pipeline'),
    state: runStates.find((each) => each === state) ?? null,
    branch: fieldOf(query, 'branch'),
    before: fieldOf(query, 'before'),
  };
}

function journalFilter({ repository, pipeline, state, branch, before }: RunsFilter): RunFilter {
  return {
    limit: pageRuns + 1,
    ...(repository === null ? {} : { repository }),
    ...(pipeline === null ? {} : { pipeline }),
    ...(state === null ? {} : { state }),
    ...(branch === null ? {} : { branch }),
    ...(before === null ? {} : { before }),
  };
}
