/** The command lines of the repository's own programs: `--help` says them, and a mistake is told in a line. */

/** What `read` makes of the words; ends the program with `usage` where help is asked for (0) or the words are wrong (2). */
export function readCommandLine<T>(usage: string, read: (words: readonly string[]) => T): T {
  const words = process.argv.slice(2);
  if (words.includes('--help')) {
    process.stdout.write(usage);
    return process.exit(0);
  }
  try {
    return read(words);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}
