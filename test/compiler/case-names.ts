import { readdirSync } from 'node:fs';

/** Folder of the golden cases. */
export const CASES = 'test/cases';

/** All golden cases, by name. */
export function caseNames(): readonly string[] {
  return readdirSync(CASES).sort();
}
