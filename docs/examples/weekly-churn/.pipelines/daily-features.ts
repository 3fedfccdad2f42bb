/**
 * Stands for the pipeline that loads yesterday into the warehouse. Here the table is a file of the repository, so all that
 * is left to do is to count it.
 */
import { pipeline, step } from 'contender';
import { readCustomers } from '../training/features.mts';

export default pipeline(
  'daily-features',
  {
    description: 'Loads the day into the table of the customers.',
    owner: 'growth',
    // In UTC, so that the logical date is the day that was loaded, in summer as in winter.
    on: { schedule: { cron: '30 0 * * *', timeZone: 'UTC' } },
    maxActiveRuns: 1,
    timeout: '10m',
  },
  ({ date }) => {
    step('load', {
      input: { date },
      async run({ date }, context) {
        const customers = await readCustomers('data/customers.csv');
        context.log(`${date}: ${customers.length} customers`);
        return { customers: customers.length };
      },
    });
  },
);
