import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gate, pipeline, step } from 'contender';

/** The data that this repository carries is the data that docs/data.md describes. */
export default pipeline(
  'demo-data',
  {
    description: 'Holds the bird strikes of the demo to what docs/data.md says of them.',
    tags: ['demo'],
    on: {
      push: { branches: ['main'], paths: ['src/demo/repository/data/**', 'docs/data.md'] },
      pullRequest: { paths: ['src/demo/repository/data/**', 'docs/data.md'] },
    },
    timeout: '2m',
  },
  () => {
    const strikes = gate('strikes', {
      data: 'src/demo/repository/data/birdstrikes.csv',
      rows: { min: 10_000, max: 10_000 },
      columns: ['Airport Name', 'Wildlife Size', 'Effect Amount of damage'],
    });
    step('checksum', {
      input: { data: strikes.path },
      async run({ data }) {
        const sha256 = createHash('sha256')
          .update(await readFile(data))
          .digest('hex');
        const description = await readFile('docs/data.md', 'utf8');
        if (!description.includes(sha256))
          throw new Error(`docs/data.md does not name ${sha256}, the SHA-256 of ${data}`);
        return { sha256 };
      },
    });
  },
);
