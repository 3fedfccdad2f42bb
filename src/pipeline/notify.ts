/** Whom a pipeline tells: names of channels, that of each being the server's to know. */
import type { NotifyDefinition } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { pipelineNamePattern } from './names.ts';
import type { OptionReader } from './options.ts';

/** Channels of `contender.yaml`, by what they are told. */
export interface NotifyOptions {
  /** A run has missed its deadline, and goes on. Those of the server unless given. */
  readonly deadline?: readonly string[];
  /** A run failed, a tick was missed, or a promotion could not be carried out. Those of the server unless given. */
  readonly failure?: readonly string[];
  /** A run succeeded after one that failed. None unless given. */
  readonly recovery?: readonly string[];
  /** An approval waits for a person. Those of the server unless given. */
  readonly approval?: readonly string[];
}

const events = ['deadline', 'failure', 'recovery', 'approval'] as const;

/** Left out where nothing is said, so that such a definition has the digest that it always had. */
export function readNotify(options: OptionReader): { readonly notify?: NotifyDefinition } {
  const value = options.raw('notify');
  if (value === undefined || value === null) return {};
  if (Array.isArray(value)) {
    const channels = readChannels(options, 'notify');
    return { notify: { deadline: channels, failure: channels, approval: channels } };
  }
  const given = options.nested('notify', events);
  const told = events.filter((event) => given?.has(event) === true);
  if (given === null || told.length === 0) return {};
  return { notify: Object.fromEntries(told.map((event) => [event, readChannels(given, event)])) };
}

function readChannels(options: OptionReader, name: string): readonly string[] {
  const channels = [...new Set(options.texts(name, []))];
  const wrong = channels.find((channel) => !pipelineNamePattern.test(channel));
  const { channelsMax } = definitionLimits;
  if (wrong !== undefined) options.wrong(name, 'a list of names of lower-case letters, digits and "-"', wrong);
  if (channels.length > channelsMax) options.wrong(name, `a list of at most ${channelsMax} channels`, channels);
  return channels;
}
