/**
 * Layouts of graphs, by the digest of their definition: made once, kept. Small ones at once; larger ones in a thread, so
 * that no request waits for another one's picture, and a page that will not wait shows the list instead.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { graphSource, layOut, viewLimits, type Graph, type GraphSource } from '../../ui/ui.ts';

const limits = { keptMax: 200, stepsAtOnceMax: 40, pageWaitMs: 800, threadMs: 20_000 } as const;

export class Graphs {
  readonly #kept = new Map<string, Promise<Graph | null>>();

  /** Null: more steps than a picture is good for, or not ready within a moment. */
  async of(digest: string, definition: PipelineDefinition): Promise<Graph | null> {
    if (definition.steps.length > viewLimits.graphStepsMax) return null;
    const made = this.#kept.get(digest) ?? this.#make(digest, graphSource(definition));
    return await Promise.race([made, soon(limits.pageWaitMs)]);
  }

  #make(digest: string, source: GraphSource): Promise<Graph | null> {
    const made =
      source.steps.length <= limits.stepsAtOnceMax ? Promise.resolve(layOut(source)) : layOutInThread(source);
    this.#kept.set(digest, made);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > limits.keptMax && oldest !== undefined) this.#kept.delete(oldest);
    return made;
  }
}

function layOutInThread(source: GraphSource): Promise<Graph | null> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(`./graph-thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: source,
    });
    worker.unref();
    const timer = setTimeout(() => void worker.terminate(), limits.threadMs);
    timer.unref();
    const end = (graph: Graph | null): void => {
      clearTimeout(timer);
      resolve(graph);
    };
    worker.once('message', (graph: Graph) => end(graph));
    worker.once('error', () => end(null));
    worker.once('exit', () => end(null));
  });
}

function soon(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), ms).unref();
  });
}
