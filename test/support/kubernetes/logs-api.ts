/** The log of a container of a pod, as the API server hands it on from the kubelet. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContainerLife } from './container-life.ts';
import type { ContainerLog, LogOptions } from './container-log.ts';
import type { Gate } from './gates.ts';
import type { Kubelet } from './kubelet.ts';
import { isTrue, type ApiRequest } from './requests.ts';
import { badRequest, failure, invalid, Refusal, type Cause } from './status.ts';
import { hostAddress } from './variables.ts';
import type { Stream } from './watch.ts';
import type { Pod } from './wire.ts';

/** null: the pod is on no node, and there is nothing to say. */
export function logOf(pod: Pod, request: ApiRequest, kubelet: Kubelet, node: Gate): Stream | null {
  const options = logOptionsOf(request.query, pod.metadata.name);
  const name = containerNameOf(pod, request.query.get('container') ?? '');
  if (pod.spec.nodeName === undefined) return null;
  if (node.holds(pod)) {
    const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${name}`;
    const refused = `dial tcp ${hostAddress}:10250: connect: connection refused`;
    throw new Refusal(failure(500, null, `Get "https://${hostAddress}:10250${path}": ${refused}`));
  }
  const container = kubelet.lifeOf(pod)?.containers.find((one) => one.container.name === name);
  if (isTrue(request.query.get('previous'))) {
    const message = `previous terminated container "${name}" in pod "${pod.metadata.name}" not found`;
    throw new Refusal(badRequest(message));
  }
  const log = container?.log ?? null;
  if (log === null) throw new Refusal(badRequest(waitingMessageOf(pod, name, container)));
  return { type: 'text/plain', write: (response) => send(response, log, options) };
}

async function send(response: ServerResponse, log: ContainerLog, options: LogOptions): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  for await (const bytes of log.read(options, closed.signal)) {
    if (response.destroyed || response.writableEnded) return;
    if (!response.write(bytes)) await Promise.race([once(response, 'drain'), once(closed.signal, 'abort')]);
    // Who reads has its turn, however much the connection would take at once.
    await nextTurn();
  }
  if (!response.writableEnded) response.end();
}

function waitingMessageOf(pod: Pod, name: string, container: ContainerLife | undefined): string {
  const { reason = 'ContainerCreating' } = container?.state.waiting ?? {};
  const told =
    reason === 'ErrImagePull'
      ? "image can't be pulled"
      : reason === 'ImagePullBackOff'
        ? 'trying and failing to pull image'
        : reason;
  return `container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${told}`;
}

function containerNameOf({ metadata, spec }: Pod, asked: string): string {
  const names = (containers: readonly { readonly name: string }[] = []): string[] => containers.map(({ name }) => name);
  const mains = names(spec.containers);
  if (asked === '' && mains.length === 1) return mains.join('');
  const inits = names(spec.initContainers);
  if (asked === '') {
    const more = inits.length === 0 ? '' : ` or one of the init containers: [${inits.join(' ')}]`;
    const choice = `choose one of: [${mains.join(' ')}]${more}`;
    throw new Refusal(badRequest(`a container name must be specified for pod ${metadata.name}, ${choice}`));
  }
  if ([...mains, ...inits].includes(asked)) return asked;
  throw new Refusal(badRequest(`container ${asked} is not valid for pod ${metadata.name}`));
}

function logOptionsOf(query: URLSearchParams, name: string): LogOptions {
  const numberOf = (key: string): number | null => (query.has(key) ? Number(query.get(key)) : null);
  const [tailLines, limitBytes, sinceSeconds] = ['tailLines', 'limitBytes', 'sinceSeconds'].map(numberOf);
  const sinceTime = query.get('sinceTime');
  const causes = [
    ...(sinceTime !== null && sinceSeconds !== null ? [both] : []),
    ...tooSmall('tailLines', tailLines ?? null, 0, 'greater than or equal to 0'),
    ...tooSmall('limitBytes', limitBytes ?? null, 1, 'greater than 0'),
  ];
  if (sinceTime !== null && Number.isNaN(Date.parse(sinceTime))) {
    const cannot = `cannot parse "${sinceTime}" as "2006"`;
    throw new Refusal(badRequest(`parsing time "${sinceTime}" as "2006-01-02T15:04:05Z07:00": ${cannot}`));
  }
  if (causes.length > 0) throw new Refusal(invalid('PodLogOptions', name, causes));
  const sinceNow = sinceSeconds === null || sinceSeconds === undefined ? null : Date.now() - sinceSeconds * 1000;
  return {
    follow: isTrue(query.get('follow')),
    timestamps: isTrue(query.get('timestamps')),
    sinceMilliseconds: sinceTime === null ? sinceNow : Date.parse(sinceTime),
    tailLines: tailLines ?? null,
    limitBytes: limitBytes ?? null,
  };
}

const both: Required<Cause> = {
  reason: 'FieldValueForbidden',
  message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  field: '[]',
};

function tooSmall(field: string, value: number | null, least: number, rule: string): readonly Required<Cause>[] {
  if (value === null || value >= least) return [];
  return [{ reason: 'FieldValueInvalid', message: `Invalid value: ${value}: must be ${rule}`, field }];
}
