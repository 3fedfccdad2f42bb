/** What the account of the server must be allowed to do in the namespace of the pods, and nothing more: rules of a `Role`. */
export interface Rule {
  readonly apiGroups: readonly string[];
  /** `pods/log` is what is below pods. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** docs/kubernetes-rbac.yaml gives these, and `contender cluster check` asks for them. */
export const neededRights: readonly Rule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['events'], verbs: ['list'] },
];

/** One thing that may be allowed. */
export interface Right {
  readonly group: string;
  readonly resource: string;
  /** Empty: the resource itself. */
  readonly subresource: string;
  readonly verb: string;
}

export function rightsOf(rules: readonly Rule[]): readonly Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((whole) => {
        const [resource = '', subresource = ''] = whole.split('/');
        return verbs.map((verb) => ({ group, resource, subresource, verb }));
      }),
    ),
  );
}

/** `create pods`, `get pods/log`. */
export function rightText({ resource, subresource, verb }: Right): string {
  return `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
}
