/** The training as a program: reads the table that TABLE names, writes the model, and says on its last line where it is. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chosen, type Row } from './features.mts';
import { train } from './model.mts';

const { TABLE = '', CONTENDER_SCRATCH = '.' } = process.env;
const rows = (JSON.parse(await readFile(TABLE, 'utf8')) as readonly Row[]).filter(({ part }) => part === 'training');
const model = train(rows, chosen);
await writeFile(join(CONTENDER_SCRATCH, 'model.json'), JSON.stringify(model, null, 1));
for (const { name, weight } of model.features) console.log(`${name}: ${weight.toFixed(3)}`);
console.log(JSON.stringify({ model: 'model.json', rows: rows.length }));
