/**
 * What a term of office acts with: nothing is kept but under its epoch, and nothing is done to the world any more once its
 * lease cannot be trusted. So a server that was frozen, and wakes up in the middle of what it was about to do, does none of it.
 */
import type { Executor } from '../../executor/executor.ts';
import type { Forge } from '../../forge/forge.ts';
import { LeaseLost, type Journal } from '../../journal/journal.ts';
import type { ModelRegistry } from '../../registry/registry.ts';
import type { TermOfOffice } from './lease.ts';
import type { ConductorPorts, Project } from '../ports.ts';

export function underLease(ports: ConductorPorts, term: TermOfOffice): ConductorPorts {
  return {
    ...ports,
    journal: journalUnder(ports.journal, term),
    executor: executorUnder(ports.executor, term),
    projects: new Map([...ports.projects].map(([name, project]) => [name, projectUnder(project, term)])),
  };
}

function journalUnder(journal: Journal, { epoch, lost }: TermOfOffice): Journal {
  return {
    ...journal,
    async commit(commits) {
      try {
        return await journal.commit(commits, epoch);
      } catch (error) {
        if (error instanceof LeaseLost) lost();
        throw error;
      }
    },
  };
}

function executorUnder(executor: Executor, term: TermOfOffice): Executor {
  return {
    slots: executor.slots,
    runsImages: executor.runsImages,
    start: (spec) => whileTrusted(term, () => executor.start(spec)),
    stop: (attemptId, cause, graceMs) => executor.stop(attemptId, cause, graceMs),
    recover: (attemptIds) => whileTrusted(term, () => executor.recover(attemptIds)),
    retain: (runIds) => executor.retain(runIds),
    release: (runId) => executor.release(runId),
    findFile: (place) => executor.findFile(place),
    looksAtOnce: executor.looksAtOnce,
    look: (spec, signal) => whileTrusted(term, () => executor.look(spec, signal)),
    close: (graceMs) => executor.close(graceMs),
  };
}

function projectUnder(project: Project, term: TermOfOffice): Project {
  const { forge, registry } = project;
  const forgeUnder: Forge = {
    ...forge,
    setStatus: (report, wasSet) => whileTrusted(term, () => forge.setStatus(report, wasSet)),
    setCheckRun: (report, id) => whileTrusted(term, () => forge.setCheckRun(report, id)),
    setComment: (report, pullRequest, id) => whileTrusted(term, () => forge.setComment(report, pullRequest, id)),
  };
  const registryUnder: ModelRegistry = {
    ...registry,
    promote: (promotion) => whileTrusted(term, () => registry.promote(promotion)),
  };
  return { ...project, forge: forgeUnder, registry: registryUnder };
}

function whileTrusted<T>({ trusted }: TermOfOffice, act: () => Promise<T>): Promise<T> {
  return trusted() ? act() : Promise.reject(new LeaseLost());
}
