/** The environment, for what may not stand in a file that everybody may see. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable is one that is not set: the empty token, say, would let everybody in. */
export function given(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim() ?? '';
  return value === '' ? null : value;
}

/** While the secret of the webhook is exchanged, the new and the old one. */
export function webhookSecretsIn(environment: Environment): readonly string[] {
  return (given(environment, 'CONTENDER_WEBHOOK_SECRET') ?? '')
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
}
