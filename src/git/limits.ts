/** Everything that a repository may ask of the server has a bound; a repository beyond one is refused, never cut short. */
export const gitLimits = {
  /** One command that stays on this machine, and the longest silence of the process that reads objects. */
  commandTimeMs: 60_000,
  /** One fetch or push; a first fetch brings everything. */
  transferTimeMs: 600_000,
  /** Standard output of one command. */
  outputBytesMax: 64 * 1024 * 1024,
  /** Entries of one tree that is listed or extracted, folders included. */
  filesMax: 100_000,
  treeDepthMax: 100,
  pathBytesMax: 1024,
  refBytesMax: 255,
  /** Of the remote, where tags are looked at; with more, none are. */
  tagsMax: 50_000,
  /** Of a remote that is a folder: with more, Git is asked at each look. */
  refFilesMax: 1000,
  /** How long its answer holds at most while the files of the refs stay the same. */
  refsTrustedMs: 30_000,
  /** How long a far remote's answer holds of which its default branch is, beside its refs. */
  headTrustedMs: 600_000,
  /** One file given back by `read`. */
  fileBytesMax: 16 * 1024 * 1024,
  /** All files of one `read`. */
  readBytesMax: 64 * 1024 * 1024,
  /** One commit or tree object. */
  objectBytesMax: 16 * 1024 * 1024,
  /** All files written by one `extract`. */
  extractBytesMax: 2 * 1024 * 1024 * 1024,
  commitFilesMax: 1000,
  commitMessageBytesMax: 64 * 1024,
  noteBytesMax: 1024 * 1024,
  /** How often a note is tried again when somebody else wrote notes at the same time. */
  noteAttemptsMax: 8,
  /** A mirror found corrupt is made anew at most once in this time. */
  recloneIntervalMs: 600_000,
  /** After this many fetches and writes Git is asked whether the objects want packing. */
  writesBetweenMaintenance: 50,
} as const;
