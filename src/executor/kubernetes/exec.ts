/** A command in a container that runs, as `kubectl exec` has it. */
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeConfig, V1Status } from '@kubernetes/client-node';
import { failedFetchReason } from '../../std/error-message.ts';

export interface Exec {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  /** Leaves it; rejects with its reason. */
  readonly signal: AbortSignal;
  readonly streams:
    | { readonly kind: 'terminal'; readonly input: Readable; readonly output: Writable }
    /** The command is not told of the end of `input`: it has to know how many bytes there are. */
    | {
        readonly kind: 'streams';
        readonly input: AsyncIterable<Uint8Array> | null;
        readonly output: Writable;
        readonly errors: Writable;
      };
}

const buffered = { bytesMax: 4 * 1024 * 1024, lookMs: 5 } as const;

/** The code with which it ended. Rejects where the cluster does not let it begin, or the connection breaks off. */
export async function execIn(
  load: (client: typeof import('@kubernetes/client-node')) => KubeConfig,
  { namespace, pod, container, command, streams, signal }: Exec,
): Promise<number> {
  const client = await import('@kubernetes/client-node');
  const ended = Promise.withResolvers<number>();
  const told = (status: V1Status): void => {
    const code = codeOf(status);
    if (code === null) ended.reject(new Error(status.message ?? 'the cluster does not say how it ended'));
    else ended.resolve(code);
  };
  const isTerminal = streams.kind === 'terminal';
  const fed = !isTerminal && streams.input !== null ? new PassThrough() : null;
  const socket = await new client.Exec(load(client))
    .exec(
      namespace,
      pod,
      container,
      [...command],
      streams.output,
      isTerminal ? null : streams.errors,
      isTerminal ? streams.input : fed,
      isTerminal,
      told,
    )
    .catch((error: unknown) => {
      throw new Error(`the cluster does not open a shell: ${reasonOf(error)}`);
    });
  const over = new AbortController();
  const leave = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  socket.on('close', () => ended.reject(new Error('the connection to the pod was closed')));
  socket.on('error', (error: unknown) =>
    ended.reject(new Error(`the connection to the pod broke off: ${reasonOf(error)}`)),
  );
  const feed = async (to: PassThrough, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of bytes) {
      while (socket.bufferedAmount > buffered.bytesMax && !over.signal.aborted) await pause(buffered.lookMs);
      if (over.signal.aborted) return;
      to.write(chunk);
    }
  };
  if (fed !== null && !isTerminal && streams.input !== null) feed(fed, streams.input).catch(ended.reject);
  try {
    return await ended.promise;
  } finally {
    over.abort();
    signal.removeEventListener('abort', leave);
    socket.close();
  }
}

function codeOf({ status, details }: V1Status): number | null {
  if (status === 'Success') return 0;
  const cause = details?.causes?.find(({ reason }) => reason === 'ExitCode');
  return cause?.message === undefined ? null : Number(cause.message);
}

/** Of a web socket that could not be opened: an event with an error in it. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return failedFetchReason(error);
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
