/** Looks at the data every twenty seconds: seconds, so that whoever watches sees the schedule at work. */
import { pipeline, step } from 'contender';

export default pipeline(
  'heartbeat',
  {
    description: 'Counts the reports and finds the newest, by a plain command.',
    owner: 'safety',
    on: { schedule: { cron: '*/20 * * * * *', timeZone: 'America/Chicago' } },
    overlap: 'forbid',
    timeout: '1m',
  },
  ({ timestamp }) => {
    const data = step('look', {
      command: ['node', 'training/look.mts', 'data/birdstrikes.csv'],
      outputs: { rows: 'number', newest: 'string' },
    });
    step('report', {
      input: { rows: data.rows, newest: data.newest, timestamp },
      run({ rows, newest, timestamp }, context) {
        context.log(`${timestamp}: ${rows} reports, the newest of ${newest}`);
      },
    });
  },
);
