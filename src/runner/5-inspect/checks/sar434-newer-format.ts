import { isNewerFormat } from '../../../plan/format-version.ts';
import { PLAN_FORMAT } from '../../../plan/plan.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';

/** An older version would take what a newer one installed for drift, and repair it away. */
export const newerFormat: LiveCheck = {
  code: 'SAR434',
  summary: 'nothing here was installed by a newer version',
  run: ({ database, inspection }) => {
    const newer = inspection.live.installed.find(({ planFormat }) => isNewerFormat(planFormat, PLAN_FORMAT));
    if (!newer) return [];
    const message = `${newer.kind} ${newer.name} was installed from a plan of format ${newer.planFormat}; this sarrio knows formats up to ${PLAN_FORMAT}`;
    return [liveFault({ code: 'SAR434', database, message, hint: 'Update the sarrio that runs here, also where it runs as a service.' })];
  },
};
