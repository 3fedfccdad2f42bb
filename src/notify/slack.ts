/** A notification as a message of Slack: a line for the list of notifications, and blocks. Pure. */
import { notifyLimits, type Notification } from './notify.ts';

export function slackMessage({ event, summary, reason, repository, run }: Notification): object {
  const line = `${signs[event]} ${escaped(summary)}`;
  const url = run?.url ?? null;
  const linked = url === null ? `*${line}*` : `*<${url}|${line.replaceAll('|', '¦')}>*`;
  const about = run === null ? repository : `${repository} · ${run.sha.slice(0, 7)} · ${run.trigger} · run ${run.id}`;
  return {
    text: line,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: reason === null ? linked : `${linked}\n${escaped(reason)}` } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: escaped(about) }] },
    ],
  };
}

const signs: Readonly<Record<Notification['event'], string>> = {
  'deadline-missed': ':warning:',
  'run-failed': ':x:',
  'promotion-failed': ':x:',
  'run-recovered': ':white_check_mark:',
  'approval-needed': ':raised_hand:',
  'tick-missed': ':warning:',
};

/** The three characters that Slack gives a meaning: without them nobody is mentioned, and nothing becomes a link. */
function escaped(text: string): string {
  const cut = text.length <= notifyLimits.textLengthMax ? text : `${text.slice(0, notifyLimits.textLengthMax)} …`;
  return cut.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
