import { failure } from './errors.ts';

/** Refuses another major version of a file's format, and a minor version newer than our own: both may say what we would not do. */
export function assertFormat(options: { found: unknown; ours: string; oldest?: string; code: string; file: string; remake: string }): void {
  const { found, ours, oldest = `${versionOf(ours)[0]}.0`, code, file, remake } = options;
  const [major, minor] = versionOf(found);
  const [ourMajor, ourMinor] = versionOf(ours);
  if (major === ourMajor && minor <= ourMinor && minor >= versionOf(oldest)[1]) return;
  if (Number.isNaN(major)) {
    throw failure('invalid', { code, where: file, message: `no format version (found ${JSON.stringify(found ?? null)})`, hint: remake });
  }
  const isNewer = major > ourMajor || (major === ourMajor && minor > ourMinor);
  throw failure('invalid', {
    code,
    where: file,
    message: `the file has format ${String(found)}; this sarrio reads ${oldest} to ${ours}`,
    hint: isNewer ? 'It was made by a newer sarrio: update the one that runs here.' : remake,
  });
}

/** Whether a format is one that this version would refuse as newer than its own. */
export function isNewerFormat(found: string, ours: string): boolean {
  const [[major, minor], [ourMajor, ourMinor]] = [versionOf(found), versionOf(ours)];
  return major > ourMajor || (major === ourMajor && minor > ourMinor);
}

function versionOf(value: unknown): readonly [number, number] {
  const match = /^(\d+)\.(\d+)$/.exec(typeof value === 'string' ? value : '');
  return match ? [Number(match[1]), Number(match[2])] : [Number.NaN, Number.NaN];
}
