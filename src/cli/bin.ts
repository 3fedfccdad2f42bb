#!/usr/bin/env node
/** The program itself: looks at the runtime before it loads anything that needs it. */
const needed = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < needed) {
  process.stderr.write(
    `contender needs Node ${needed} or newer; this is ${process.versions.node} (${process.execPath}).\n  Install it, with npm too: npm install --global --prefix ~/.local node@${needed}, and put ~/.local/bin first on the PATH; in a project: npm install --save-dev node@${needed}, and npx contender.\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./cli.ts');
  process.exitCode = await main(process.argv.slice(2));
}
