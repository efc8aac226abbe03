import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rememberSecret } from '../../plan/secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with a service or its file, for the end of a sentence, and what to do. */
export type ServiceFault = { readonly message: string; readonly hint: string };

/**
 * The parameters of a service, from the files that libpq reads (documentation of PostgreSQL, "The Connection Service File"):
 * `PGSERVICEFILE`, or `.pg_service.conf` in the home folder; then `pg_service.conf` in `PGSYSCONFDIR`.
 */
export function readService(name: string, env: Environment): ReadonlyMap<string, string> | ServiceFault {
  const files = filesOf(env);
  for (const file of files) {
    const text = readIfThere(file);
    if (text === null) continue;
    if (typeof text !== 'string') return text;
    const found = parametersOf(text, { name, file });
    if (found !== null) return found;
  }
  return { message: `names the service ${name}, which is in no service file`, hint: `Looked for in ${files.join(' and ')}.` };
}

function filesOf(env: Environment): readonly string[] {
  const own = env['PGSERVICEFILE'] || join(env['HOME'] || homedir(), '.pg_service.conf');
  return env['PGSYSCONFDIR'] ? [own, join(env['PGSYSCONFDIR'], 'pg_service.conf')] : [own];
}

function readIfThere(file: string): string | ServiceFault | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (['ENOENT', 'ENOTDIR'].includes(code)) return null;
    return { message: `names a service, and the service file ${file} cannot be read (${code})`, hint: 'Let this account read it.' };
  }
}

/** Null where the file does not have the service. Of several with one name the first counts. */
function parametersOf(text: string, { name, file }: { name: string; file: string }): ReadonlyMap<string, string> | ServiceFault | null {
  const parameters = new Map<string, string>();
  let isThere = false;
  for (const [index, line] of text
    .split(/\r?\n/)
    .map((each) => each.trim())
    .entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const opened = /^\[(.*)\]$/.exec(line);
    if (opened && isThere) break;
    if (opened) {
      isThere = opened[1] === name;
      continue;
    }
    if (!isThere) continue;
    const at = line.indexOf('=');
    if (at < 1) return { message: `names the service ${name}, whose line ${index + 1} of ${file} is no parameter`, hint: 'Each line is name=value.' };
    const parameter = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (!parameters.has(parameter)) parameters.set(parameter, parameter === 'password' ? rememberSecret(value) : value);
  }
  return isThere ? parameters : null;
}
