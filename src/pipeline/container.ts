/** The word `container`: work by an image. */
import { bindTemplate } from './binding.ts';
import {
  readArguments,
  readCommand,
  readEnvironment,
  readOutputs,
  refuseCodeWithReferences,
  type OutputOptions,
  type Outputs,
  type Text,
} from './command.ts';
import type { ContainerWork } from './definition.ts';
import { handleData, hasMarker, type Handle, type Nothing } from './handle.ts';
import { shown } from './misuse.ts';
import { imageMistake } from './names.ts';
import { isRefusedRequest, requestHelp } from '../std/quantity.ts';
import type { OptionReader } from './options.ts';
import { closeStep, openStep, type StepOptions } from './step-options.ts';
import type { CacheOptions } from './step.ts';

export interface ContainerOptions<O extends OutputOptions> extends StepOptions, CacheOptions {
  readonly image: string | Handle<string>;
  /** In place of the image's entry point. */
  readonly command?: readonly Text[];
  readonly args?: readonly Text[];
  readonly env?: { readonly [name: string]: Text };
  /** In Kubernetes' words: `{ requests: { cpu: '500m', memory: '2Gi' }, limits: { 'nvidia.com/gpu': '1' } }`. */
  readonly resources?: ResourceOptions;
  /** What it writes as JSON: on the last line of standard output, or in the file $CONTENDER_OUTPUTS. */
  readonly outputs?: O;
  /** What runs in its place where there are no containers. */
  readonly local?: { readonly command: readonly Text[] };
}

export interface ResourceOptions {
  readonly requests?: { readonly [resource: string]: string | number };
  readonly limits?: { readonly [resource: string]: string | number };
}

/** Adds a step that runs an image, and gives the handle of its output. */
export function container<const O extends OutputOptions = Nothing>(
  name: string,
  options: ContainerOptions<O>,
): Handle<Outputs<O>> {
  const call = openStep('container', name, options, [
    'image',
    'command',
    'args',
    'env',
    'resources',
    'outputs',
    'local',
    'cache',
  ]);
  if (!call.options.has('image')) call.options.missing('image');
  const image = bindTemplate(call, 'image', call.options.raw('image'));
  const mistake = typeof image === 'string' ? imageMistake(image) : null;
  if (mistake !== null)
    call.options.problem(`option "image" ${mistake}: ${shown(image)}`, 'Write it as registry.example/team/trainer:1.');
  const local = call.options.nested('local', ['command']);
  const command = call.options.has('command') ? readCommand(call, call.options, 'command') : [];
  const args = readArguments(call, call.options, 'args');
  refuseCodeWithReferences(call, [...command, ...args]);
  return closeStep(
    call,
    {
      kind: 'container',
      image,
      command,
      args,
      environment: readEnvironment(call, call.options),
      resources: readResources(call.options),
      localCommand: local === null ? null : readCommand(call, local, 'command'),
    },
    readOutputs(call.options),
  );
}

function readResources(options: OptionReader): ContainerWork['resources'] {
  const resources = options.nested('resources', ['requests', 'limits']);
  if (resources === null) return { requests: {}, limits: {} };
  const [requests, limits] = [readQuantities(resources, 'requests'), readQuantities(resources, 'limits')];
  for (const [name, requested] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && isRefusedRequest(name, requested, limit))
      options.problem(`option "resources.requests.${name}" is ${requested}, and its limit ${limit}`, requestHelp(name));
  }
  return { requests, limits };
}

function readQuantities(options: OptionReader, name: string): { readonly [resource: string]: string } {
  const entries = options.record(name, /^[A-Za-z0-9./-]{1,253}$/).map(([resource, value]): [string, string] => {
    const quantity = typeof value === 'number' ? String(value) : value;
    if (typeof quantity === 'string' && /^\d+(?:\.\d+)?(?:m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/.test(quantity))
      return [resource, quantity];
    if (handleData(value) !== null || (typeof value === 'string' && hasMarker(value)))
      return options.problem(
        `option "resources.${name}.${resource}" is a value of the run`,
        name === 'limits' && resource === 'memory'
          ? 'Write it out: how much an attempt may take has to be known before one begins.'
          : `Say it in the pod: pod: { resources: { ${name}: { ${resource}: … } } }.`,
      );
    return options.wrong(`${name}.${resource}`, 'a quantity such as "500m", "8" or "32Gi"', value);
  });
  return Object.fromEntries(entries);
}
