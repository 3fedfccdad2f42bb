/** What an agent has printed itself: why it could not reach the server, above all, which it can tell nobody else. */
import type { Api } from './api.ts';

const limits = { linesMax: 20, bytesMax: 16_384, answerMs: 5000 } as const;

/** The last lines; none where there are none, or nothing can be read in a few seconds. */
export async function agentOutput(
  api: Api,
  { namespace, pod, container }: { readonly namespace: string; readonly pod: string; readonly container: string },
): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const query = { container, tailLines: limits.linesMax, limitBytes: limits.bytesMax };
  try {
    const content = await api.stream(path, query, AbortSignal.timeout(limits.answerMs));
    const text = await new Response(content).text();
    return text.split('\n').filter((line) => line.trim() !== '');
  } catch {
    // It says more of what went wrong, and is no part of it: the pod may be gone.
    return [];
  }
}
