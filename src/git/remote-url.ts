/**
 * Where a mirror comes from. The URL is the operator's own configuration, and still it is parsed to what we mean to
 * support, so that a slip cannot become a transport helper (`ext::`), an option, or a password in a process list.
 */
import { isAbsolute, resolve } from 'node:path';
import { failure, success, type Result } from '../std/result.ts';

export interface RemoteUrl {
  /** As Git gets it; holds no credentials. */
  readonly address: string;
  /** The one transport that Git may use. */
  readonly protocol: 'https' | 'http' | 'ssh' | 'file';
}

const help = 'write https://host/path, ssh://user@host/path, user@host:path, file:///path or a path';

/** The error is a sentence that says what is accepted. A relative path is taken from the working directory. */
export function parseRemoteUrl(text: string): Result<RemoteUrl, string> {
  if (text === '' || /\p{Cc}/u.test(text) || text.length > 2048)
    return failure(`the repository's URL is empty or broken: ${help}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseAbsolute(text);
  if (text.includes('::')) return failure(`${text} names a transport helper, which are not used: ${help}`);
  const short = /^(?<user>[a-z_][a-z0-9_.-]*)@(?<host>[a-z0-9][a-z0-9.-]*):(?<path>[^-:].*)$/i.exec(text);
  if (short !== null) return success({ address: text, protocol: 'ssh' });
  if (text.startsWith('-')) return failure(`${text} begins with a dash: ${help}`);
  return success({ address: isAbsolute(text) ? text : resolve(text), protocol: 'file' });
}

function parseAbsolute(text: string): Result<RemoteUrl, string> {
  if (!URL.canParse(text)) return failure(`the repository's URL cannot be read: ${help}`);
  const url = new URL(text);
  const protocol = url.protocol.slice(0, -1);
  if (url.password !== '' || (protocol !== 'ssh' && url.username !== '')) {
    return failure(
      `the URL of ${url.host}${url.pathname} holds credentials: take them out; https is read with those of \`github\` (CONTENDER_GITHUB_TOKEN), ssh with the keys of this user`,
    );
  }
  if (url.search !== '' || url.hash !== '')
    return failure(`the URL of ${url.host}${url.pathname} has a query: ${help}`);
  switch (protocol) {
    case 'https':
    case 'file':
      return success({ address: text, protocol });
    case 'ssh':
      if (!/^[a-z0-9[]/i.test(url.host) || url.username.startsWith('-')) break;
      return success({ address: text, protocol });
    case 'http':
      if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)) {
        return failure(`http sends everything in the clear and is for this machine only: use https for ${url.host}`);
      }
      return success({ address: text, protocol });
    default:
      break;
  }
  return failure(`${url.protocol}// is not supported: ${help}`);
}
