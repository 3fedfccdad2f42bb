/** `contender cluster check`: whether the cluster of `contender.yaml` can run steps, and what to do where not. */
import { loadConfig } from '../config/config.ts';
import type { KubernetesConfig } from '../config/kubernetes.ts';
import { createApi } from '../executor/kubernetes/api.ts';
import { checkCluster, roundsOf } from '../executor/kubernetes/check.ts';
import { ok, wrong, type Finding } from '../executor/kubernetes/finding.ts';
import { loadKubeConfig } from '../executor/kubernetes/kube-config.ts';
import { podSettings } from '../main.ts';
import { createAgentServer } from '../server/agent-server.ts';
import { ProblemError } from '../std/problem.ts';
import { unreachable } from '../std/unreachable.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { listenForInterruption, statusOfSignal } from './interruption.ts';
import { harmless, markOf, oneLine, paint } from './terminal.ts';

export interface ClusterCheckOptions {
  /** Of steps whose `pod` names another than contender.yaml does; null: that of contender.yaml. */
  readonly namespace: string | null;
  /** No pod is made. */
  readonly quick: boolean;
  readonly json: boolean;
}

/** For the image and the node; a step may wait longer (`startTimeout`). */
const startMs = 60_000;
/** Nobody's: `check.ts` marks its pods with another. */
const instance = 'none';

export async function clusterCheck(directory: string, options: ClusterCheckOptions): Promise<ExitStatus> {
  const { namespace, quick, json } = options;
  const config = loadConfig(directory, process.env);
  const { kubernetes } = config.executor;
  if (kubernetes === null) throw noCluster();
  const settings = podSettings(config, kubernetes);
  const rounds = namespace === null ? roundsOf(settings) : [{ repositories: [], pod: { ...settings.pod, namespace } }];
  const findings: Finding[] = [];
  const found = (finding: Finding): void => {
    findings.push(finding);
    if (!json) say(finding);
  };
  const ending = new AbortController();
  const interruption = listenForInterruption(note);
  interruption.answer(note, () => ending.abort());
  const agents = quick ? null : await listenAsServer(kubernetes, found);
  try {
    const api = createApi((client) => loadKubeConfig(client, kubernetes));
    for (const { repositories, pod } of rounds) {
      await checkCluster({
        api,
        settings: { ...settings, pod, instance },
        clock: { now: Date.now },
        trial: quick ? null : { startMs },
        signal: ending.signal,
        found: repositories.length === 0 ? found : (finding) => tellOf(repositories, finding, found),
      });
      if (findings.some(({ name, state }) => name === 'api' && state === 'wrong')) break;
    }
  } catch (error) {
    const signal = interruption.asked();
    if (signal === null) throw error;
    return statusOfSignal(signal);
  } finally {
    interruption.end();
    await agents?.close();
  }
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  return findings.some(({ state }) => state === 'wrong') ? exitStatus.usage : exitStatus.success;
}

/** What is said of the cluster as a whole has been said in the first round. */
function tellOf(repositories: readonly string[], finding: Finding, found: (finding: Finding) => void): void {
  if (finding.name === 'api' || finding.name === 'clock') return;
  found({ ...finding, message: `Pods of ${repositories.join(', ')}: ${finding.message}` });
}

/** In the place of the server that is not there yet; null where it may be there already, or this cannot be. */
async function listenAsServer(
  { listen }: KubernetesConfig,
  found: (finding: Finding) => void,
): Promise<{ close(): Promise<unknown> } | null> {
  const place = `${listen.host}, port ${listen.port}`;
  const app = createAgentServer({ desk: () => null, log: { error: () => undefined } });
  try {
    await app.listen(listen);
    return app;
  } catch (error) {
    await app.close();
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EADDRINUSE')
      found(ok('listen', `Somebody listens on ${place} already, which is taken for the server.`));
    else
      found(
        wrong('listen', `Nobody can listen on ${place}: ${String(error)}.`, 'Correct `executor.kubernetes.listen`.'),
      );
    return null;
  }
}

function say(finding: Finding): void {
  const { stdout, stderr } = process;
  const { name, state } = finding;
  const message = oneLine(finding.message);
  switch (state) {
    case 'ok':
      return void stdout.write(`${markOf('success')} ${paint('bold', name)} ${message}\n`);
    case 'wrong':
      return void stderr.write(
        `${markOf('failed', stderr)} ${paint('bold', name, stderr)} ${message}\n  ${finding.help}\n`,
      );
    case 'unknown':
      return void stderr.write(
        `${paint('yellow', '!', stderr)} ${paint('bold', name, stderr)} ${message}\n  ${finding.help}\n`,
      );
    default:
      return unreachable(state);
  }
}

function note(line: string): void {
  process.stderr.write(`${harmless(line)}\n`);
}

function noCluster(): ProblemError {
  return new ProblemError({
    code: 'cluster-missing',
    message: 'contender.yaml names no cluster: steps run as processes of this machine',
    where: null,
    help: 'Say where they are to run in `executor.kubernetes`: its namespace, image and agents at least.',
  });
}
