/**
 * In which namespaces this installation has ever made pods. The next server looks into them, though none of its steps names them:
 * what an earlier one left there would stay for good.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

export interface Namespaces {
  /** Of the servers before. */
  readonly known: readonly string[];
  /** Harmless the second time. Throws where it cannot be written down. */
  add(name: string): void;
  /** None was ever made there. Throws where it cannot be written down. */
  remove(name: string): void;
}

/** The oldest are forgotten. */
const namespacesMax = 100;

export function openNamespaces(file: string): Namespaces {
  const known = read(file);
  const all = new Set(known);
  const write = (): void => {
    const incoming = `${file}.new`;
    writeFileSync(incoming, JSON.stringify([...all].slice(-namespacesMax)), { mode: 0o600 });
    renameSync(incoming, file);
  };
  return {
    known,
    add(name) {
      if (all.has(name)) return;
      all.add(name);
      write();
    },
    remove(name) {
      if (all.delete(name)) write();
    },
  };
}

/** What is damaged or not there says nothing: what is left there ends by itself, and stays. */
function read(file: string): readonly string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}
