/** From a line of the bundle to the line of the user's file. */
import { SourceMap, type SourceMapPayload } from 'node:module';
import type { Place } from '../std/problem.ts';
import { repositoryNamespace, wordsSource } from './commit-files.ts';

/** Reads `map` when it is asked first, which takes longer than all the rest. */
export function placesIn(map: string): (stack: string) => Place | null {
  let read: SourceMap | null = null;
  // Written by esbuild.
  return (stack) => placeOf(stack, (read ??= new SourceMap(JSON.parse(map) as SourceMapPayload)));
}

/** The innermost frame of `stack` (as QuickJS writes it) that stands in a file of the repository; null: at the start. */
function placeOf(stack: string, sourceMap: SourceMap): Place | null {
  for (const [, line, column] of stack.matchAll(/definition\.js:(\d+)(?::(\d+))?/g)) {
    const entry = sourceMap.findEntry(Number(line) - 1, Number(column ?? 1) - 1);
    if (!('originalSource' in entry)) continue;
    const source = entry.originalSource;
    // Nothing stops in the words: what comes after them does, before it has a place of its own.
    if (source === wordsSource) return null;
    if (typeof source !== 'string' || !source.startsWith(`${repositoryNamespace}:`)) continue;
    return {
      file: source.slice(repositoryNamespace.length + 1),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  }
  return null;
}
