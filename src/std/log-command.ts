/** What a program says of itself on a line of its log: `::error file=app.ts,line=3,title=Types::message`. */
export interface LogCommand {
  readonly level: 'error' | 'warning' | 'notice' | 'debug';
  /** By name: `file`, `line`, `col`, `title`, and others. */
  readonly properties: ReadonlyMap<string, string>;
  readonly message: string;
}

/** Null where the line is none. */
export function readLogCommand(text: string): LogCommand | null {
  const match = /^::(error|warning|notice|debug)(?: ([^\n]*?))?::(.*)$/s.exec(text);
  if (match === null) return null;
  const [, level, fields = '', message = ''] = match;
  const properties = fields.split(',').flatMap((field) => {
    const at = field.indexOf('=');
    return at < 0 ? [] : [[field.slice(0, at).trim(), decode(field.slice(at + 1))] as const];
  });
  return {
    level: level === 'error' || level === 'warning' || level === 'debug' ? level : 'notice',
    properties: new Map(properties),
    message: decode(message),
  };
}

/** The commands' own escapes, of the characters that would end a property. */
function decode(text: string): string {
  return text
    .replaceAll('%0D', '')
    .replaceAll('%0A', ' ')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');
}
