import { quoteIdent } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';

/** A role of the config has to be there before anything can be granted to it. */
export const roleMissing: LiveCheck = {
  code: 'SAR430',
  summary: 'the roles that the config names exist',
  run: ({ database, inspection }) =>
    inspection.missingRoles.map((role) =>
      liveFault({
        code: 'SAR430',
        database,
        message: `role ${role}, which the config names, does not exist`,
        hint: `Run, with a password or another way to log in: CREATE ROLE ${quoteIdent(role)} LOGIN;`,
      }),
    ),
};
