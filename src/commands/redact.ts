import { rememberedSecrets } from '../plan/secrets.ts';

/**
 * The last line of defence against a secret in the output: connection strings that stand in the environment or were read from files, and the
 * passwords in them, are replaced wherever they appear. No text should ever reach this with one; error texts of drivers and servers might.
 */
export function redactor(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const ofEnvironment = Object.values(env).flatMap(secretsOf);
  return (text) =>
    longestFirst([...ofEnvironment, ...rememberedSecrets().flatMap(secretsOfFile)])
      .reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text)
      .replace(URL_PASSWORD, '$1***@');
}

const URL_PASSWORD = /(postgres(?:ql)?:\/\/[^\s:@/]*:)[^\s@/]+@/g;
/** A shorter text would be found by chance in other words; it is still hidden inside a connection string. */
const SHORTEST_SECRET = 6;

function longestFirst(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets)].sort((left, right) => right.length - left.length);
}

/** A connection string, or a bare password. */
function secretsOfFile(text: string): readonly string[] {
  const found = secretsOf(text);
  return found.length > 0 || text.length < SHORTEST_SECRET ? found : [text];
}

function secretsOf(value: string | undefined): string[] {
  if (!value || !/^postgres(ql)?:\/\/|\bpassword\s*=/.test(value)) return [];
  const found = [value, ...passwordsOf(value)].filter((secret) => secret.length >= SHORTEST_SECRET);
  return found.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
}

/** As written and as decoded. A password that is the user's or the database's name, or the word itself, hides nothing and would spoil other words. */
function passwordsOf(value: string): string[] {
  const url = /^\w+:\/\/([^:@/]*):([^@]*)@[^/]*\/?([^?]*)/.exec(value);
  const [, user = '', password = '', database = ''] = url ?? [];
  const inParameters = /\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s&]+))/.exec(value);
  const candidates = [password, inParameters?.[1] ?? inParameters?.[2] ?? ''].flatMap((text) => [text, decoded(text)]);
  return candidates.filter((text) => ![user, database, 'postgres', 'password', ''].includes(text));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
