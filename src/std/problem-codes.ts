/** The one catalogue of the codes of users' mistakes, by the folder that finds them. docs/errors.md explains each. */
export const problemCodes = [
  // pipeline and compile
  'definition-invalid',
  // cli and config
  'usage',
  'config-invalid',
  'folder-locked',
] as const;

export type ProblemCode = (typeof problemCodes)[number];
