/** The chains of kube-proxy, of the kubelet and of the network plugins, by which their rules are known. */
const ours = /^(KUBE|CNI)-/;

/**
 * From what `iptables-save` wrote, the input for `iptables-restore --noflush` that takes out these chains and every rule
 * that leads into them, and leaves all else as it is; empty where there is nothing to take out.
 */
export function removalOf(saved: string): string {
  const tables = saved.split(/^(?=\*)/m).filter((table) => table.startsWith('*'));
  return tables.map(removalOfTable).join('');
}

function removalOfTable(table: string): string {
  const lines = table.split('\n');
  const chains = lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []).filter((chain) => ours.test(chain));
  if (chains.length === 0) return '';
  return [
    lines[0],
    // Naming a chain empties it: then none of them leads into another, and each can go.
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...lines.filter(leadsIn).map((line) => line.replace(/^-A/, '-D')),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT\n',
  ].join('\n');
}

function leadsIn(line: string): boolean {
  const [, from = '', target = ''] = /^-A (\S+).* -[jg] (\S+)/.exec(line) ?? [];
  return !ours.test(from) && ours.test(target);
}
