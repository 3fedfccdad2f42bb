/** One command of the program: its description, and help with examples. */
import type { Command } from 'commander';
import type { ExitStatus } from './exit-status.ts';

/** Is told how a command ended. */
export type End = (status: ExitStatus) => void;

export function command(program: Command, name: string, description: string, examples: readonly string[]): Command {
  const whole = program.parent === null ? name : `${program.name()} ${name}`;
  const lines = examples.map((example) => `  $ ${example}`).join('\n');
  return program
    .command(name)
    .description(description)
    .showHelpAfterError(`  Its help, with an example: contender ${whole} --help`)
    .addHelpText(
      'after',
      `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines}\n\nElsewhere than in this folder:\n  $ contender -C FOLDER ${whole}`,
    );
}
