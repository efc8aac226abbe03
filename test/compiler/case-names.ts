import { readdirSync } from 'node:fs';

/** Folder of the golden cases. */
export const CASES = 'test/cases';

/** Cases about a lock that an earlier version wrote, with its format. */
export const OLD_LOCKS: Readonly<Record<string, string>> = { 'masters-old-lock': '1.0' };

/** All golden cases, by name. */
export function caseNames(): readonly string[] {
  return readdirSync(CASES).sort();
}
