/** What the server is given by the composition root, and its parts by it. */
import type { Conductor } from '../conductor/conductor.ts';
import type { Project } from '../conductor/ports.ts';
import type { Journal } from '../journal/journal.ts';
import type { ArtifactStreams, LogStore } from '../outputs/outputs.ts';
import type { Clock } from '../std/clock.ts';

export interface ServerPorts {
  readonly conductor: Conductor;
  readonly journal: Journal;
  readonly logs: LogStore;
  readonly artifacts: ArtifactStreams;
  readonly projects: ReadonlyMap<string, Project>;
  readonly clock: Clock;
  /** How long after the end of its run a log is kept; null or absent: for good. */
  readonly logsKeptMs?: number | null;
  /** The same of artifacts, after they were last used. */
  readonly artifactsKeptMs?: number | null;
  /** What a command must show to change anything. */
  readonly apiToken: string;
  readonly version: string;
  /** Under which people know it, where that is configured; sessions are kept for https where it says so. */
  readonly publicUrl?: string | null;
  /** A proxy in front says from which address a request came. */
  readonly behindProxy?: boolean;
  /** The names that it answers to, without port; null or absent: to any, because something in front of it looks after that. */
  readonly hosts?: ReadonlySet<string> | null;
  readonly log: { error(fields: Readonly<Record<string, unknown>>, message: string): void };
}
