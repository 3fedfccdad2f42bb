/** What a container has printed: an agent why it could not reach the server, above all, which it can tell nobody else. */
import type { Api, Query } from './api.ts';

const limits = { linesMax: 20, bytesMax: 16_384, answerMs: 5000 } as const;

export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The last lines; none where there are none, or nothing can be read in a few seconds. */
export async function lastLines(api: Api, place: ContainerPlace): Promise<readonly string[]> {
  // It says more of what went wrong, and is no part of it: the pod may be gone.
  const text = await read(api, place, { tailLines: limits.linesMax }).catch(() => '');
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** When it last printed a line, in milliseconds since the epoch; 0: it has printed none; null: nothing can be read. */
export async function agentWroteAt(api: Api, place: ContainerPlace): Promise<number | null> {
  const text = await read(api, place, { tailLines: 1, timestamps: true }).catch(() => null);
  if (text === null) return null;
  const at = Date.parse(text.split(' ', 1)[0] ?? '');
  return Number.isNaN(at) ? 0 : at;
}

async function read(api: Api, { namespace, pod, container }: ContainerPlace, query: Query): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const asked = { container, limitBytes: limits.bytesMax, ...query };
  const content = await api.stream(path, asked, AbortSignal.timeout(limits.answerMs));
  return new Response(content).text();
}
