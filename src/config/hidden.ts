/** What the environment tells this server alone, and no log may show, whoever found it. */
import { given, webhookSecretsIn, type Environment } from './environment.ts';

const names = ['CONTENDER_API_TOKEN', 'CONTENDER_GITHUB_TOKEN', 'CONTENDER_GITHUB_PRIVATE_KEY'];
const prefixes = ['CONTENDER_SECRET_', 'CONTENDER_NOTIFY_'];
const addresses = ['CONTENDER_DATABASE_URL', 'CONTENDER_REDIS_URL'];

/** By the name of the variable; of the address of a database its password alone. */
export function hiddenIn(environment: Environment): ReadonlyMap<string, string> {
  const hidden = new Map<string, string>();
  for (const name of Object.keys(environment)) {
    const value = given(environment, name);
    if (value === null) continue;
    if (names.includes(name) || prefixes.some((prefix) => name.startsWith(prefix))) hidden.set(name, value);
    if (addresses.includes(name)) hidden.set(name, passwordOf(value));
  }
  for (const [place, secret] of webhookSecretsIn(environment).entries())
    hidden.set(`CONTENDER_WEBHOOK_SECRET, ${place + 1}`, secret);
  return hidden;
}

/** '' where it has none. */
function passwordOf(address: string): string {
  if (!URL.canParse(address)) return '';
  const { password } = new URL(address);
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}
