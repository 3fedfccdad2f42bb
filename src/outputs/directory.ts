/** Both stores in one directory: `artifacts/` by content hash, `logs/` by run. */
import { join } from 'node:path';
import { createDirectoryArtifactStore } from './directory-artifacts.ts';
import { createDirectoryLogStore, type DirectoryLogOptions } from './directory-logs.ts';
import { openOldArtifacts } from './old-artifacts.ts';
import { openOldLogs } from './old-logs.ts';
import type {
  ArtifactStore,
  ArtifactStreams,
  ArtifactUses,
  LogStore,
  OldArtifactStore,
  OldLogStore,
} from './outputs.ts';

export { createDirectoryArtifactStore, verifyHash } from './directory-artifacts.ts';
export { createDirectoryLogStore } from './directory-logs.ts';

/** The stores of the embedded default. Nothing is made on disk before the first byte is kept. */
export function createDirectoryStores({ directory, ...options }: DirectoryLogOptions): {
  readonly artifacts: ArtifactStore & ArtifactStreams & ArtifactUses;
  readonly oldArtifacts: OldArtifactStore;
  readonly logs: LogStore;
  readonly oldLogs: OldLogStore;
} {
  return {
    artifacts: createDirectoryArtifactStore({ directory: join(directory, 'artifacts') }),
    oldArtifacts: openOldArtifacts(join(directory, 'artifacts')),
    logs: createDirectoryLogStore({ directory: join(directory, 'logs'), ...options }),
    oldLogs: openOldLogs(join(directory, 'logs')),
  };
}
