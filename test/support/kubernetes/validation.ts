/** The few of the real server's objections that a mistake of ours would meet first. */
import { invalid, Refusal, type Cause } from './status.ts';
import type { Container, PodSpec } from './wire.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const labelValue = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';

const labelRule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const subdomainRule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const labelValueRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`;
const fieldPaths =
  /^(metadata\.(name|namespace|uid|labels\['[^']+'\]|annotations\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;

type Causes = readonly Required<Cause>[];

export interface Written {
  readonly metadata: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

/** Throws the refusal with all objections, in the order of the real server. */
export function validatePod({ metadata, spec }: Written): void {
  const causes = [
    ...ofName(metadata.name ?? ''),
    ...ofLabels(metadata.labels ?? {}),
    ...ofDuplicates(spec.volumes ?? [], 'spec.volumes'),
    ...ofContainers(spec),
    ...ofContainersIn(spec.initContainers ?? [], 'spec.initContainers', spec),
    ...ofRest(spec),
  ];
  if (causes.length > 0) throw new Refusal(invalid('Pod', metadata.name ?? '', causes));
}

export function validateLabels(name: string, labels: Readonly<Record<string, string>>): void {
  const causes = ofLabels(labels);
  if (causes.length > 0) throw new Refusal(invalid('Pod', name, causes));
}

const required = (field: string, more = ''): Required<Cause> => ({
  reason: 'FieldValueRequired',
  message: `Required value${more}`,
  field,
});
const wrong = (field: string, value: string, rule: string): Required<Cause> => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${value}: ${rule}`,
  field,
});
const matches = (pattern: string, text: string): boolean => new RegExp(`^${pattern}$`).test(text);

function ofName(name: string): Causes {
  if (name === '') return [required('metadata.name', ': name or generateName is required')];
  return matches(subdomain, name) && name.length <= 253 ? [] : [wrong('metadata.name', `"${name}"`, subdomainRule)];
}

function ofLabels(labels: Readonly<Record<string, string>>): Causes {
  return Object.values(labels).flatMap((value) => [
    ...(matches(labelValue, value) ? [] : [wrong('metadata.labels', `"${value}"`, labelValueRule)]),
    ...(value.length <= 63 ? [] : [wrong('metadata.labels', `"${value}"`, 'must be no more than 63 bytes')]),
  ]);
}

function ofDuplicates(things: readonly { readonly name: string }[], field: string): Causes {
  return things.flatMap(({ name }, index) =>
    things.findIndex((thing) => thing.name === name) === index
      ? []
      : [{ reason: 'FieldValueDuplicate', message: `Duplicate value: "${name}"`, field: `${field}[${index}].name` }],
  );
}

function ofContainers(spec: PodSpec): Causes {
  if (spec.containers.length === 0) return [required('spec.containers')];
  return ofContainersIn(spec.containers, 'spec.containers', spec);
}

function ofContainersIn(containers: readonly Container[], field: string, spec: PodSpec): Causes {
  const each = containers.flatMap((container, index) => ofContainer(container, `${field}[${index}]`, spec));
  return [...each, ...ofDuplicates(containers, field)];
}

function ofContainer({ name, image, env, volumeMounts }: Container, field: string, spec: PodSpec): Causes {
  const variables = (env ?? []).flatMap((variable, index): Causes => {
    const at = `${field}.env[${index}]`;
    const path = variable.valueFrom?.fieldRef?.fieldPath;
    const rule = `error converting fieldPath: field label not supported: ${path}`;
    if (variable.name === undefined || variable.name === '') return [required(`${at}.name`)];
    return path === undefined || fieldPaths.test(path)
      ? []
      : [wrong(`${at}.valueFrom.fieldRef.fieldPath`, `"${path}"`, rule)];
  });
  const mounts = (volumeMounts ?? []).flatMap((mount, index): Causes => {
    if (spec.volumes?.some((volume) => volume.name === mount.name) === true) return [];
    const at = `${field}.volumeMounts[${index}].name`;
    return [{ reason: 'FieldValueNotFound', message: `Not found: "${mount.name}"`, field: at }];
  });
  return [
    ...ofContainerName(name, `${field}.name`),
    ...(image === undefined || image === '' ? [required(`${field}.image`)] : []),
    ...variables,
    ...mounts,
  ];
}

function ofContainerName(name: string | undefined, field: string): Causes {
  if (name === undefined || name === '') return [required(field)];
  return matches(label, name) && name.length <= 63 ? [] : [wrong(field, `"${name}"`, labelRule)];
}

function ofRest(spec: PodSpec): Causes {
  const { activeDeadlineSeconds: deadline, restartPolicy: policy = 'Always' } = spec;
  const seconds = 'must be between 1 and 2147483647, inclusive';
  const supported = '"Always", "OnFailure", "Never"';
  return [
    ...(['Always', 'OnFailure', 'Never'].includes(policy)
      ? []
      : [
          {
            reason: 'FieldValueNotSupported',
            message: `Unsupported value: "${policy}": supported values: ${supported}`,
            field: 'spec.restartPolicy',
          },
        ]),
    ...(deadline === undefined || deadline > 0 ? [] : [wrong('spec.activeDeadlineSeconds', String(deadline), seconds)]),
  ];
}
