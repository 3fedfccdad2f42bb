/** `npm run cluster`: a real Kubernetes on this machine alone, for the tests that need one. README.md says how it is made. */
import { Trouble } from './command.ts';
import { down } from './down.ts';
import { assertRoot } from './host.ts';
import { layoutOf } from './layout.ts';
import { status } from './status.ts';
import { sayWithTime } from './telling.ts';
import { remakeRunner, up } from './up.ts';

const help = `npm run cluster -- COMMAND

  up             brings the cluster up; what is missing is installed, built and started, what is there is left alone
  image          makes the runner's image (contender-runner:local) anew, from the code as it is
  status         says what runs; exit status 1 where something does not
  down           ends all of it and undoes what it changed on this machine; its files stay
  down --wipe    drops its data and logs too; what was built and the images' layers stay

Everything lives in CLUSTER_HOME (${layoutOf(process.env).home}). It takes root and Debian. For example:

  npm run cluster -- up
  export KUBECONFIG=${layoutOf(process.env).kubeconfig}
  npm run test:cluster            # at the cluster that is up
  npm run cluster -- down
`;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const layout = layoutOf(process.env);
  const say = sayWithTime();
  try {
    switch (words.join(' ')) {
      case 'up':
        assertRoot();
        await up(layout, say);
        return 0;
      case 'image':
        assertRoot();
        await remakeRunner(layout, say);
        return 0;
      case 'status':
        return (await status(layout, console.log)) ? 0 : 1;
      case 'down':
      case 'down --wipe':
        assertRoot();
        await down(layout, words.includes('--wipe'), say);
        return 0;
      case '--help':
      case 'help':
        console.log(help);
        return 0;
      default:
        console.error(help);
        return 2;
    }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    console.error(error.message);
    return 1;
  }
}
