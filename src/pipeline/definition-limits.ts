/** The limits of a definition; compile refuses what is beyond them. */
export const definitionLimits = {
  stepsMax: 1000,
  edgesMax: 5000,
  depthMax: 100,
  nameLengthMax: 63,
  stepNameLengthMax: 128,
  jsonBytesMax: 1024 * 1024,
  mapLengthDefault: 1024,
  mapLengthMax: 10_000,
  retriesMax: 100,
  timeoutDefaultMs: 6 * 3_600_000,
  graceDefaultMs: 30_000,
  finallyTimeoutDefaultMs: 30 * 60_000,
  poolSlotsMax: 10_000,
  /** Less is a unit that was forgotten. */
  memoryBytesMin: 16 * 1024 ** 2,
  memoryBytesMax: 1024 ** 5,
  memoryFactorMin: 1.1,
  memoryFactorMax: 100,
  keptPodMsMax: 30 * 86_400_000,
  podBytesMax: 64 * 1024,
  channelsMax: 20,
  priorityMin: -1000,
  priorityMax: 1000,
  /** Of one argument, variable or other text that programs are given. */
  textLengthMax: 64 * 1024,
  templatePartsMax: 1000,
  /** Of a list in which handles stand. */
  listLengthMax: 10_000,
  /** Keys behind one another of one handle, and the characters of each. */
  pathLengthMax: 16,
  keyLengthMax: 256,
  shiftMsMax: 366 * 86_400_000,
  /** Names that one step declares. */
  outputsMax: 256,
  datasetNameLengthMax: 200,
  /** That one pipeline listens to, or one step updates. */
  datasetsMax: 32,
} as const;
