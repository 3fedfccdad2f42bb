/** The one catalogue of the codes of users' mistakes, by the folder that finds them. docs/errors.md explains each. */
export const problemCodes = [
  // pipeline and compile
  'definition-branch',
  'definition-circle',
  'definition-environment',
  'definition-handle',
  'definition-import',
  'definition-impure',
  'definition-invalid',
  'definition-limit',
  'definition-map',
  'definition-missing',
  'definition-name',
  'definition-option',
  'definition-pod',
  'definition-promise',
  'definition-shell',
  'definition-syntax',
  'definition-threw',
  // journal
  'journal-newer',
  'journal-older',
  'journal-unreachable',
  // forge
  'github-config-invalid',
  'github-secret-missing',
  // cli and config
  'usage',
  'attempt-unknown',
  'backfill-ended',
  'backfill-unknown',
  'channel-unknown',
  'cluster-missing',
  'config-invalid',
  'folder-locked',
  'folder-missing',
  'folder-not-empty',
  'init-exists',
  'listen-refused',
  'nothing-here',
  'pipeline-unknown',
  'pool-invalid',
  'repository-unknown',
  'repository-unreadable',
  'revision-unknown',
  'run-not-asked',
  'run-refused',
  'run-unknown',
  'server-refused',
  'step-unknown',
  'system-refused',
  // rehearsal
  'pretence-invalid',
  // git
  'repository-url-invalid',
] as const;

export type ProblemCode = (typeof problemCodes)[number];
