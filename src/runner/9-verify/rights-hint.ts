import { sqlState } from '../postgres/connection-failure.ts';

/** What a role needs of the user to compare, where it lacks something (insufficient_privilege). */
export function rightsHint(cause: unknown): { readonly hint?: string } {
  if (sqlState(cause) !== '42501') return {};
  return {
    hint: 'To compare, this role needs SELECT on the tables of both sides, USAGE on their schemas, and TEMPORARY on the databases of targets and members.',
  };
}
