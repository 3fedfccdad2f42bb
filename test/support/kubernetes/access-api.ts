/** Who may do what: everybody everything, until a test says not. */
import { bodyOf, type ApiRequest } from './requests.ts';
import { failure, Refusal } from './status.ts';

export interface Access {
  readonly verb: string;
  readonly resource: string;
}

export interface Permissions {
  /** Refuses it from now on, and says so when asked. */
  deny(access: Access): void;
  allowAll(): void;
  assertAllowed(request: ApiRequest): void;
  reviewAccess(request: ApiRequest): object;
  reviewRules(request: ApiRequest): object;
}

export const user = 'contender';

export function createPermissions(): Permissions {
  let denied: readonly Access[] = [];
  const isDenied = ({ verb, resource }: Access): boolean =>
    denied.some((one) => one.verb === verb && one.resource === resource);
  return {
    deny: (access) => void (denied = [...denied, access]),
    allowAll: () => void (denied = []),
    assertAllowed({ verb, resource, namespace, name }) {
      if (!isDenied({ verb, resource })) return;
      const [kind = '', below] = resource.split('/');
      // The name of what does not exist yet is not told.
      const thing = name === '' || (verb === 'create' && below === undefined) ? kind : `${kind} "${name}"`;
      const what = `cannot ${verb} resource "${resource}" in API group "" in the namespace "${namespace}"`;
      const details = { ...(name === '' ? {} : { name }), kind };
      throw new Refusal(failure(403, 'Forbidden', `${thing} is forbidden: User "${user}" ${what}`, details));
    },
    reviewAccess(request) {
      const { spec = {} } = bodyOf(request, 'SelfSubjectAccessReview') as { spec?: AccessSpec };
      const { verb = '', resource = '', subresource } = spec.resourceAttributes ?? {};
      const whole = subresource === undefined || subresource === '' ? resource : `${resource}/${subresource}`;
      return review('SelfSubjectAccessReview', spec, { allowed: !isDenied({ verb, resource: whole }) });
    },
    reviewRules(request) {
      const { spec = {} } = bodyOf(request, 'SelfSubjectRulesReview') as { spec?: object };
      const resourceRules = rulesWithout(isDenied);
      return review('SelfSubjectRulesReview', spec, { resourceRules, nonResourceRules: [], incomplete: false });
    },
  };
}

interface AccessSpec {
  readonly resourceAttributes?: { readonly verb?: string; readonly resource?: string; readonly subresource?: string };
}

const review = (kind: string, spec: object, status: object): object => ({
  kind,
  apiVersion: 'authorization.k8s.io/v1',
  metadata: {},
  spec,
  status,
});

const known: Readonly<Record<string, readonly string[]>> = {
  pods: ['create', 'get', 'list', 'watch', 'patch', 'delete', 'deletecollection'],
  'pods/log': ['get'],
  'pods/eviction': ['create'],
  events: ['list', 'watch'],
  secrets: ['create', 'get', 'list', 'watch', 'delete'],
  configmaps: ['create', 'get', 'list', 'watch', 'delete'],
  namespaces: ['get'],
  resourcequotas: ['list'],
};

function rulesWithout(isDenied: (access: Access) => boolean): readonly object[] {
  return Object.entries(known).map(([resource, verbs]) => ({
    verbs: verbs.filter((verb) => !isDenied({ verb, resource })),
    apiGroups: [''],
    resources: [resource],
  }));
}
